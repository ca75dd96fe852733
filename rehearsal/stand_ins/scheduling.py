"""What runs at its time, and in which order: EventBridge Scheduler, scheduled scaling, and Step Functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rehearsal.graph import Answer
    from rehearsal.stand_ins.calls import Making, Table


def _schedule_group(this: Making) -> Answer:
    arn = this.create("scheduler:CreateScheduleGroup")["ScheduleGroupArn"]
    return this.answer(this["name"], arn=arn, state="ACTIVE")


def _schedule(this: Making) -> Answer:
    target: dict[str, Any] = dict(this["target"])
    network = target.get("ecsParameters", {}).get("networkConfiguration")
    if network:
        # Scheduler has the block within another one, and a word for the address.
        inner = network | {"assignPublicIp": "ENABLED" if network.get("assignPublicIp") else "DISABLED"}
        parameters = target["ecsParameters"] | {"networkConfiguration": {"awsvpcConfiguration": inner}}
        target["ecsParameters"] = parameters
    rename = {
        "target.ecsParameters.enableEcsManagedTags": "EnableECSManagedTags",
        "target.ecsParameters.networkConfiguration.awsvpcConfiguration": "awsvpcConfiguration",
        "target.ecsParameters.capacityProviderStrategies": "CapacityProviderStrategy",
        "target.sagemakerPipelineParameters": "SageMakerPipelineParameters",
    }
    arn = this.create("scheduler:CreateSchedule", inputs=this.inputs | {"target": target}, rename=rename)["ScheduleArn"]
    return this.answer(f"{this.get('groupName', 'default')}/{this['name']}", arn=arn)


def _scheduled_scaling(this: Making) -> Answer:
    this.validate_only()
    this.create("application-autoscaling:PutScheduledAction", rename={"name": "ScheduledActionName"})
    action = f"resource/ecs/{this['resourceId']}:scheduledActionName/{this['name']}"
    return this.answer(this["name"], arn=this.arn("autoscaling", f"scheduledAction:{this.resource.name}:{action}"))


def _group_schedule(this: Making) -> Answer:
    # The emulator keeps it and never runs it: a rehearsal sleeps at no hour. -1 is the provider's word alone.
    sizes = {"minSize", "maxSize", "desiredCapacity"}
    inputs = {name: value for name, value in this.inputs.items() if name not in sizes or value != -1}
    this.create("autoscaling:PutScheduledUpdateGroupAction", inputs=inputs)
    name = this["scheduledActionName"]
    made = this.call(
        "autoscaling:DescribeScheduledActions",
        AutoScalingGroupName=this["autoscalingGroupName"],
        ScheduledActionNames=[name],
    )
    found = made["ScheduledUpdateGroupActions"][0]
    return this.answer(name, arn=found["ScheduledActionARN"])


def _state_machine(this: Making) -> Answer:
    made = this.create("stepfunctions:CreateStateMachine")
    return this.answer(made["stateMachineArn"], arn=made["stateMachineArn"], status="ACTIVE")


TABLE: Final[Table] = {
    "aws:appautoscaling/scheduledAction:ScheduledAction": _scheduled_scaling,
    "aws:autoscaling/schedule:Schedule": _group_schedule,
    "aws:scheduler/schedule:Schedule": _schedule,
    "aws:scheduler/scheduleGroup:ScheduleGroup": _schedule_group,
    "aws:sfn/stateMachine:StateMachine": _state_machine,
}
