"""How an AWS endpoint is reached: as the account's root, under a role's credentials, or as a service under a role.

The rehearsal reaches the emulator by it, and so does the emulator itself where it must act under a role of the account.
"""

from __future__ import annotations

import importlib
import os
import threading
from typing import Any, Final

ON_BEHALF_OF: Final = "x-drydock-on-behalf-of"
"""The header of an AssumeRole request that stands in for a service's own; its value is the service's principal."""
SOURCE_ARN: Final = "x-drydock-source-arn"
"""The header that says what the service assumes the role for, such as a task's ARN."""


class Access:
    """One account and one region, as the account's root sees them."""

    endpoint: str
    """Such as ``http://127.0.0.1:41234``: the API of every service, and the data plane of those that have one."""
    account: str
    region: str

    def __init__(self, endpoint: str, *, account: str, region: str, root: dict[str, str]) -> None:
        """Reach *endpoint*; *root* is the account's root, as STS would give its credentials."""
        self.endpoint = endpoint
        self.account = account
        self.region = region
        self._root = root
        self._session: Any = None
        self._clients: dict[str, Any] = {}
        self._lock = threading.RLock()  # boto3's sessions are not for several threads; its clients are

    @property
    def environment(self) -> dict[str, str]:
        """What a shell sets to use the endpoint as the account's root with boto3 or the AWS CLI."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self._root["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": self._root["SecretAccessKey"],
            "AWS_DEFAULT_REGION": self.region,
        }

    def client(self, service: str) -> Any:
        """Return the boto3 client of *service* as the account's root; one a service, shared by all threads."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self.client_as(service, self._root)
            return self._clients[service]

    def client_as(self, service: str, credentials: dict[str, Any]) -> Any:
        """Return a new boto3 client of *service* under *credentials*, as STS AssumeRole gives them."""
        with self._lock:
            # Imported here: the emulator's own process imports this module too, and seldom needs boto3.
            self._session = self._session or _session()
            configuration = importlib.import_module("botocore.config").Config
            return self._session.client(
                service,
                endpoint_url=self.endpoint,
                region_name=self.region,
                aws_access_key_id=credentials["AccessKeyId"],
                aws_secret_access_key=credentials["SecretAccessKey"],
                aws_session_token=credentials.get("SessionToken"),
                config=configuration(
                    inject_host_prefix=False,  # such as data-servicediscovery.127.0.0.1, which does not resolve
                    retries={"total_max_attempts": 1},  # a refusal or a fault is to be seen, not waited out
                    read_timeout=150,  # seconds: StopTask waits for containers to stop
                    max_pool_connections=32,
                    s3={"addressing_style": "path"},
                    proxies={},  # loopback is never behind the developer's proxy
                ),
            )

    def assume(self, role: str, *, service: str, source: str, session: str, seconds: int = 12 * 3600) -> dict[str, Any]:
        """Assume *role* as *service* does on behalf of *source*; its credentials, as STS gives them.

        *role* and *source* (a task, a function; empty for none) are ARNs, *session* names the session. The trust must
        admit the service, under the conditions that it sets on ``aws:SourceArn`` and ``aws:SourceAccount``.

        Raises:
            botocore.exceptions.ClientError: ``AccessDenied``, when the trust does not.

        """

        def say_so(request: Any, **_: Any) -> None:
            request.headers[ON_BEHALF_OF] = service
            request.headers[SOURCE_ARN] = source

        sts = self.client_as("sts", self._root)
        sts.meta.events.register("before-sign.sts.AssumeRole", say_so)
        return sts.assume_role(RoleArn=role, RoleSessionName=session, DurationSeconds=seconds)["Credentials"]


def _session() -> Any:
    """Return a boto3 session that reads no profile and no file of the developer's."""
    nothing = dict.fromkeys(("config_file", "credentials_file"), (None, None, os.devnull, None))
    core = importlib.import_module("botocore.session").Session({"profile": (None, None, None, None), **nothing})
    return importlib.import_module("boto3.session").Session(botocore_session=core)
