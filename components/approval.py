"""The command that lets a deployment that waits go on."""

from __future__ import annotations

from pulumi import Input, Output


def command(*, region: str, cluster: Input[str], service: Input[str]) -> Output[str]:
    """Return the shell command by which somebody approves the deployment of *service* that waits, if one does.

    ECS names the pause that is to end for each deployment anew, so that the command asks for it first. It takes
    ecs:ListServiceDeployments, ecs:DescribeServiceDeployments and ecs:ContinueServiceDeployment; with ``ROLLBACK`` for
    ``CONTINUE`` it refuses.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/continue-service-deployment.html
    """
    return Output.concat(
        f"waits=$(aws ecs list-service-deployments --region {region} --cluster ",
        cluster,
        " --service ",
        service,
        " --status IN_PROGRESS --query 'serviceDeployments[0].serviceDeploymentArn' --output text)"
        f' && hook=$(aws ecs describe-service-deployments --region {region} --service-deployment-arns "$waits" --query '
        "\"serviceDeployments[0].lifecycleHookDetails[?status=='AWAITING_ACTION'] | [0].hookId\" --output text)"
        f' && aws ecs continue-service-deployment --region {region} --service-deployment-arn "$waits" --hook-id "$hook"'
        " --action CONTINUE",
    )
