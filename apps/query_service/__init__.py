"""query-service: the private query side of a CQRS system.

The container answers user queries from its own table. With nothing fresh there it asks a private REST API, whose
function reads the source table; should the API be out of reach, it invokes that function itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Final

from pydantic import Field

from apps._workload import Outputs, Workload
from components.alarms import Alarms, AlarmsArgs
from components.container import Container, HealthCheck
from components.function import Function, FunctionArgs
from components.logs import Logs
from components.rest_api import RestApi, RestApiArgs
from components.service import Service, TargetHealth
from components.table import Table, TableArgs
from components.task import Task
from components.topic import Topic, TopicArgs
from settings import ServiceSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from settings import Settings as Stack

_PORT: Final = 8000


class Settings(ServiceSettings):
    """What `workloads: query-service:` may say."""

    listens_on: ClassVar[tuple[int, ...]] = (_PORT,)

    request_timeout: Annotated[int, Field(ge=1, le=55)] = 30
    """Seconds that one request may take in all: less than the 60 after which the load balancer gives up."""

    def problems(self, stack: Stack) -> Iterator[str]:
        """Yield what its two entrances need of the stack and do not find there."""
        yield from super().problems(stack)
        if stack.internal_load_balancer is None:
            yield "is behind the internal load balancer; add `internal_load_balancer: {open_to: [vpc]}`"
        if "execute-api" not in stack.network.endpoints():
            yield (
                "reaches its private API through an endpoint of the network; add `execute-api` to "
                "`network: {interface_endpoints: [...]}`, or its id to `network: {adopt: {endpoint_ids: {...}}}`"
            )


class QueryService(Workload[Settings]):
    """A service behind the internal load balancer, its table, and the private API that it asks."""

    function: ClassVar[str] = "query-result-lambda"
    """Name of the function that reads the source table."""
    paths: ClassVar[tuple[str, ...]] = ("/query/*", "/health")
    """What the load balancer sends here."""

    def deploy(self) -> Outputs:
        """Make it all; hand out its two addresses and the names of what holds its data."""
        on, settings = self.on, self.settings
        logs = Logs(retention_days=settings.log_retention_days)
        answers = Table(
            f"{self.name}-answers",
            TableArgs(partition_key="pk", sort_key="sk", ttl_attribute="expires_at", deletion_protection=on.protect),
            self.child(),
        )
        source = Table(
            f"{self.name}-source",
            TableArgs(partition_key="user_id", sort_key="created_at", deletion_protection=on.protect),
            self.child(),
        )
        function = Function(
            self.function,
            FunctionArgs(
                account=on.account,
                code=self.source("function"),
                handler="handler.handle",
                environment={"SOURCE_TABLE_NAME": source.table_name},
                grants=[source.grant("Query")],
                logs=logs,
            ),
            self.child(),
        )
        api = RestApi(
            self.name,
            RestApiArgs(
                account=on.account,
                vpc_id=on.network.vpc_id,
                endpoint_id=on.network.endpoint_ids["execute-api"],
                routes={"POST /query/user": function},
                logs=logs,
                logging=on.api_logging,
            ),
            self.child(),
        )
        image = self.image()
        container = Container(
            name="ecs-handler",
            image=image,
            command=("python", "main.py"),
            port=_PORT,
            environment={
                "ENVIRONMENT": on.stage,
                "INTERNAL_API_URL": api.invoke_url,
                "REQUEST_TIMEOUT": str(settings.request_timeout),
                "AWS_DEFAULT_REGION": on.account.region,
                "TABLE_NAME": answers.table_name,
                "FUNCTION_NAME": function.function_name,
            },
            # The image has no curl: its own client asks the same.
            health_check=HealthCheck(
                command=("CMD", "python", "healthcheck.py"), interval=30, timeout=5, retries=3, start_period=60
            ),
        )
        rights = [answers.grant("GetItem", "Query", "PutItem", "UpdateItem", "DeleteItem"), function.invoke()]
        task = Task(self.name, self.task_args(settings, [container], grants=rights), self.child())
        entrance = on.balancer("internal")
        service = Service(
            self.name,
            self.service_args(
                settings,
                task,
                entrance=entrance.route(path=self.paths),
                target_health=TargetHealth(path="/health", interval=30, timeout=5, healthy=2),
            ),
            self.child(),
        )
        alerts = Topic(
            f"{self.name}-alerts",
            # One key for the stack's topics: a key costs by the month.
            TopicArgs(account=on.account, emails=on.alert_emails, kms_key_arn=on.alerts.kms_key_arn),
            self.child(),
        )
        Alarms(
            self.name,
            AlarmsArgs(
                cluster_name=on.cluster.cluster_name,
                service_name=service.service_name,
                actions=[alerts.arn],
                cpu_percent=70,
                memory_percent=80,
                period=300,
                evaluation_periods=2,
                sleep=service.sleep,
            ),
            self.child(),
        )
        return {
            "load_balancer_url": entrance.url,
            "private_api_url": api.invoke_url,
            "table_name": answers.table_name,
            "source_table_name": source.table_name,
            "function_name": function.function_name,
            "service_name": service.service_name,
            "log_group_name": task.log_group_name,
            "alerts_topic_arn": alerts.arn,
        }
