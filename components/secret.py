"""A secret, and what a container needs so that ECS reads one into its environment."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pulumi_aws as aws
from pulumi import Output

from components import naming
from components.base import Part
from components.errors import InvalidArgsError, of, within
from components.grants import Grant

if TYPE_CHECKING:
    from pulumi import Input, ResourceOptions

_READ: Final = "secretsmanager:GetSecretValue"
_SECRET_ARN: Final = re.compile(r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+-[A-Za-z0-9]{6}")
_PARAMETER_ARN: Final = re.compile(r"arn:aws[a-z-]*:ssm:[a-z0-9-]+:\d{12}:parameter/[\w./-]+")
_SUFFIX: Final = re.compile(r".*-[A-Za-z0-9]{6}")
_KEY: Final = re.compile(r"[^:\s]+")


@dataclass(frozen=True, kw_only=True)
class SecretReference:
    """A secret as a container takes it, under `secrets`: never its value.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html
    """

    value_from: Input[str]
    """The ARN, or ``<ARN>:<key>::`` for one key of a JSON object."""
    grants: tuple[Grant, ...]
    """What the execution role needs to read it."""
    secret_arn: Input[str] | None = None
    """The secret's, by which its rotation is noticed; None for a parameter, which has none."""

    @classmethod
    def adopted(cls, arn: str, *, key: str | None = None, kms_key_arn: Input[str] | None = None) -> SecretReference:
        """Take a secret or an SSM parameter that is kept elsewhere, by its whole *arn*.

        *key* is one of a JSON object's, for a secret alone. *kms_key_arn* is the key it is encrypted with, where
        that is not AWS's own.

        Raises:
            InvalidArgsError: an ARN of neither, a secret's without its six random characters (which no policy
                would match), or a key where there is none.

        """
        if _SECRET_ARN.fullmatch(arn):
            return cls.of(arn, key=key, kms_key_arn=kms_key_arn)
        if not _PARAMETER_ARN.fullmatch(arn):
            raise InvalidArgsError(
                "SecretReference.adopted",
                got=arn,
                want="the whole ARN of a secret, with the hyphen and six characters at its end, or of an SSM parameter",
            )
        if key is not None:
            raise InvalidArgsError("SecretReference.key", got=key, want="None: an SSM parameter has one value")
        return cls(value_from=arn, grants=(_read(arn, kms_key_arn, "ssm:GetParameters"),))

    @classmethod
    def of(cls, arn: Input[str], *, key: str | None = None, kms_key_arn: Input[str] | None = None) -> SecretReference:
        """Take the secret *arn*, made by this program or for it: whole, or one *key* of the JSON object that it is.

        Raises:
            InvalidArgsError: a key with a colon or a space, which ECS would cut.

        """
        return cls(value_from=_value_from(arn, key), grants=(_read(arn, kms_key_arn),), secret_arn=arn)


@dataclass(frozen=True, kw_only=True)
class SecretArgs:
    """What a `Secret` takes.

    Raises:
        InvalidArgsError: a name that ends like the suffix AWS adds, a value in plain text, or days out of bounds.

    """

    secret_name: str | None = None
    """What people look for. Default: autonamed, so that it can be replaced before the old one's window is over."""
    description: str | None = None
    """What it is for, at most 2048 characters. Default: none."""
    value: Output[str] | None = None
    """From a secret setting (``config.require_secret``). Default: none; whoever keeps it puts it there."""
    kms_key_arn: Input[str] | None = None
    """Key it is encrypted with. Default: AWS's own for Secrets Manager, which needs no right in this account."""
    recovery_days: int = 30
    """Days in which a deleted secret can be had back, 7 to 30; 0 deletes at once."""

    def __post_init__(self) -> None:
        # botocore's `secretsmanager` model: DeleteSecretRequest, and the text of CreateSecretRequest.Name.
        if self.recovery_days != 0:
            within(self, "recovery_days", 7, 30, "days, or 0")
        if self.secret_name is not None:
            naming.fixed(self.secret_name, naming.SECRET)
            if _SUFFIX.fullmatch(self.secret_name):
                raise InvalidArgsError(
                    of(self, "secret_name"),
                    got=self.secret_name,
                    want="no hyphen and six characters at the end: AWS adds such a suffix, and mistakes it for its own",
                )
        if self.value is not None and not isinstance(self.value, Output):  # pyright: ignore[reportUnnecessaryIsInstance]
            # The value itself is never quoted.
            raise InvalidArgsError(
                of(self, "value"),
                got="plain text",
                want="an output of a secret setting, such as config.require_secret()",
            )


class Secret(Part):
    """A secret in Secrets Manager; its value is never among what the component declares.

    Raises:
        InvalidArgsError: a name that Secrets Manager refuses.

    """

    arn: Output[str]

    def __init__(self, name: str, args: SecretArgs | None = None, opts: ResourceOptions | None = None) -> None:
        args = args or SecretArgs()
        naming.autonamed(name, naming.SECRET)
        super().__init__(opts)

        secret = aws.secretsmanager.Secret(
            name,
            name=args.secret_name,
            description=args.description,
            kms_key_id=args.kms_key_arn,
            recovery_window_in_days=args.recovery_days,
            tags=self.tags,
            opts=self.child(),
        )
        self.arn = secret.arn
        self._key_arn = args.kms_key_arn
        if args.value is not None:
            # The provider's class marks the string secret, whatever the setting was.
            aws.secretsmanager.SecretVersion(name, secret_id=secret.id, secret_string=args.value, opts=self.child())

    def read(self) -> Grant:
        """Allow reading the value."""
        return _read(self.arn, self._key_arn)

    def reference(self, key: str | None = None) -> SecretReference:
        """Return it as a container takes it: whole, or one *key* of the JSON object that it is.

        Raises:
            InvalidArgsError: a key with a colon or a space, which ECS would cut.

        """
        return SecretReference.of(self.arn, key=key, kms_key_arn=self._key_arn)


def _value_from(arn: Input[str], key: str | None) -> Input[str]:
    if key is None:
        return arn
    if not _KEY.fullmatch(key):
        raise InvalidArgsError("SecretReference.key", got=key, want="a key of the JSON object, without colon or space")
    # The two empty parts are stage and version: the current ones.
    return f"{arn}:{key}::" if isinstance(arn, str) else Output.concat(arn, f":{key}::")


def _read(arn: Input[str], kms_key_arn: Input[str] | None, action: str = _READ) -> Grant:
    """Put secret and key in one statement: neither service's actions know the other's resource."""
    if kms_key_arn is None:
        return Grant(actions=(action,), resources=(arn,))
    return Grant(actions=(action, "kms:Decrypt"), resources=(arn, kms_key_arn))
