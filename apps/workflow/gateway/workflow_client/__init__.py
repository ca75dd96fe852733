"""A client of workflow-agent: finds them by the environment, spreads calls over them, copes with their going."""

from workflow_client.client import CallError, WorkflowClient
from workflow_client.settings import SettingsFaultError, read

__all__ = ["CallError", "SettingsFaultError", "WorkflowClient", "read"]
