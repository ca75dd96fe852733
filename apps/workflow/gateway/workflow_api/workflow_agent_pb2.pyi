from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class ConversationRequest(_message.Message):
    __slots__ = ("conversation_id", "text", "pace_ms")
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    PACE_MS_FIELD_NUMBER: _ClassVar[int]
    conversation_id: str
    text: str
    pace_ms: int
    def __init__(self, conversation_id: _Optional[str] = ..., text: _Optional[str] = ..., pace_ms: _Optional[int] = ...) -> None: ...

class ConversationReply(_message.Message):
    __slots__ = ("conversation_id", "index", "text", "final", "agent")
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    FINAL_FIELD_NUMBER: _ClassVar[int]
    AGENT_FIELD_NUMBER: _ClassVar[int]
    conversation_id: str
    index: int
    text: str
    final: bool
    agent: str
    def __init__(self, conversation_id: _Optional[str] = ..., index: _Optional[int] = ..., text: _Optional[str] = ..., final: bool = ..., agent: _Optional[str] = ...) -> None: ...
