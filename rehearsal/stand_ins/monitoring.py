"""What is seen of it all: logs, alarms and events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rehearsal.graph import Answer
    from rehearsal.stand_ins.calls import Making, Table


def _log_group(this: Making) -> Answer:
    this.create("logs:CreateLogGroup", apart=["retentionInDays"], rename={"name": "logGroupName"})
    # 0 means for ever, which CloudWatch has no number for.
    if this.get("retentionInDays"):
        this.call("logs:PutRetentionPolicy", logGroupName=this["name"], retentionInDays=int(this["retentionInDays"]))
    # Without the `:*` that CloudWatch answers: the provider takes it off.
    return this.answer(this["name"], arn=this.arn("logs", f"log-group:{this['name']}"))


def _log_resource_policy(this: Making) -> Answer:
    this.create("logs:PutResourcePolicy")
    return this.answer(this["policyName"])


def _metric_alarm(this: Making) -> Answer:
    rename = {"name": "AlarmName", "metricQueries": "Metrics", "metricQueries.metric": "MetricStat"}
    queries = [
        query | ({"metric": _stat(query["metric"])} if "metric" in query else {})
        for query in this.get("metricQueries", [])
    ]
    inputs = this.inputs | ({"metricQueries": queries} if queries else {})
    this.create("cloudwatch:PutMetricAlarm", inputs=inputs, rename=rename)
    return this.answer(this["name"], arn=this.arn("cloudwatch", f"alarm:{this['name']}"))


def _stat(metric: dict[str, Any]) -> dict[str, Any]:
    """Tell a metric's name from how it is read: the provider has both in one block, CloudWatch one in the other."""
    named = {name: metric[name] for name in ("namespace", "metricName", "dimensions") if name in metric}
    return {"metric": named} | {name: value for name, value in metric.items() if name not in named}


def _alarm_mute_rule(this: Making) -> Answer:
    this.validate_only()
    this.create("cloudwatch:PutAlarmMuteRule")
    return this.answer(this["name"], arn=this.arn("cloudwatch", f"alarm-mute-rule:{this['name']}"), status="SCHEDULED")


def _event_rule(this: Making) -> Answer:
    made = this.create("events:PutRule")
    return this.answer(this["name"], arn=made["RuleArn"])


def _event_target(this: Making) -> Answer:
    where = ["rule", "eventBusName"]
    target = {name: value for name, value in this.inputs.items() if name not in (*where, *_NOT_TARGETS)}
    inputs = {name: this[name] for name in where if name in this.inputs} | {"targets": [target]}
    rename = {f"targets.{name}": f"{member}Parameters" for name, member in _TARGETS.items()}
    rename |= {"targets.inputTransformer.inputPaths": "InputPathsMap", "targets.targetId": "Id"}
    made = this.create("events:PutTargets", inputs=inputs, rename=rename, tagged=False)
    for entry in made["FailedEntries"]:
        raise this.refused("events:PutTargets", f"{entry['ErrorCode']}: {entry['ErrorMessage']}")
    return this.answer(f"{this['rule']}-{this['targetId']}")


_NOT_TARGETS: Final = ("region", "forceDestroy")
_TARGETS: Final = {"ecsTarget": "Ecs", "sqsTarget": "Sqs", "httpTarget": "Http", "batchTarget": "Batch"}


TABLE: Final[Table] = {
    "aws:cloudwatch/alarmMuteRule:AlarmMuteRule": _alarm_mute_rule,
    "aws:cloudwatch/eventRule:EventRule": _event_rule,
    "aws:cloudwatch/eventTarget:EventTarget": _event_target,
    "aws:cloudwatch/logGroup:LogGroup": _log_group,
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": _log_resource_policy,
    "aws:cloudwatch/metricAlarm:MetricAlarm": _metric_alarm,
}
