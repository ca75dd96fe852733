"""REST APIs: their paths, stages, keys, and the names and links by which requests come in and go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rehearsal.stand_ins.shapes import word

if TYPE_CHECKING:
    from rehearsal.graph import Answer
    from rehearsal.stand_ins.calls import Making, Table


def _rest_api(this: Making) -> Answer:
    apart = ["body", "failOnWarnings", "parameters", "putRestApiMode"]
    made = this.create("apigateway:CreateRestApi", apart=apart)
    api = made["id"]
    if "body" in this.inputs:
        mode = this.get("putRestApiMode", "overwrite")
        this.call("apigateway:PutRestApi", restApiId=api, mode=mode, body=str(this["body"]).encode())
    root = next(
        each["id"] for each in this.call("apigateway:GetResources", restApiId=api)["items"] if each["path"] == "/"
    )
    return this.answer(
        api,
        arn=this.arn("apigateway", f"/restapis/{api}", account=False),
        executionArn=this.arn("execute-api", api),
        rootResourceId=root,
        createdDate=str(made.get("createdDate", "")),
    )


def _replace(path: str, value: Any) -> dict[str, str]:
    return {"op": "replace", "path": path, "value": word(value)}


def _rest_api_policy(this: Making) -> Answer:
    this.call(
        "apigateway:UpdateRestApi", restApiId=this["restApiId"], patchOperations=[_replace("/policy", this["policy"])]
    )
    return this.answer(this["restApiId"])


_API: Final = {"restApi": "restApiId"}


def _api_resource(this: Making) -> Answer:
    made = this.create("apigateway:CreateResource", rename=_API)
    return this.answer(made["id"], made)


def _method(this: Making) -> Answer:
    this.create("apigateway:PutMethod", rename=_API | {"authorization": "authorizationType"})
    return this.answer(f"agm-{this['restApi']}-{this['resourceId']}-{this['httpMethod']}")


def _integration(this: Making) -> Answer:
    this.create("apigateway:PutIntegration", rename=_API | {"timeoutMilliseconds": "timeoutInMillis"})
    return this.answer(f"agi-{this['restApi']}-{this['resourceId']}-{this['httpMethod']}")


def _deployment(this: Making) -> Answer:
    made = this.create("apigateway:CreateDeployment", rename=_API)
    return this.answer(made["id"], createdDate=str(made.get("createdDate", "")))


def _stage(this: Making) -> Answer:
    api, stage = this["restApi"], this["stageName"]
    rename = _API | {"deployment": "deploymentId", "xrayTracingEnabled": "tracingEnabled"}
    this.create("apigateway:CreateStage", rename=rename, apart=["accessLogSettings", "clientCertificateId"])
    if "accessLogSettings" in this.inputs:
        changes = [_replace(f"/accessLogSettings/{key}", value) for key, value in this["accessLogSettings"].items()]
        this.call("apigateway:UpdateStage", restApiId=api, stageName=stage, patchOperations=changes)
    return this.answer(
        f"ags-{api}-{stage}",
        arn=this.arn("apigateway", f"/restapis/{api}/stages/{stage}", account=False),
        executionArn=this.arn("execute-api", f"{api}/{stage}"),
        # AWS's own address would resolve in a VPC only: this is where the emulator answers for the same stage.
        invokeUrl=f"{this.aws.gateway}/restapis/{api}/{stage}/_user_request_",
    )


# The paths under which a stage keeps a method's settings.
_METHOD_SETTINGS: Final = {
    "cacheDataEncrypted": "caching/dataEncrypted",
    "cacheTtlInSeconds": "caching/ttlInSeconds",
    "cachingEnabled": "caching/enabled",
    "dataTraceEnabled": "logging/dataTrace",
    "loggingLevel": "logging/loglevel",
    "metricsEnabled": "metrics/enabled",
    "throttlingBurstLimit": "throttling/burstLimit",
    "throttlingRateLimit": "throttling/rateLimit",
}


def _method_settings(this: Making) -> Answer:
    given = this["settings"].items()
    changes = [_replace(f"/{this['methodPath']}/{_METHOD_SETTINGS[name]}", value) for name, value in given]
    this.call("apigateway:UpdateStage", restApiId=this["restApi"], stageName=this["stageName"], patchOperations=changes)
    return this.answer(f"{this['restApi']}-{this['stageName']}-{this['methodPath']}")


def _api_account(this: Making) -> Answer:
    changes = [_replace("/cloudwatchRoleArn", this.get("cloudwatchRoleArn", ""))]
    this.call("apigateway:UpdateAccount", patchOperations=changes)
    return this.answer("api-gateway-account")


def _api_key(this: Making) -> Answer:
    # The provider's default is another than the API's. The value stays with the emulator: no output has it.
    made = this.create("apigateway:CreateApiKey", inputs={"enabled": True} | this.inputs)
    key = made["id"]
    return this.answer(key, arn=this.arn("apigateway", f"/apikeys/{key}", account=False))


def _usage_plan(this: Making) -> Answer:
    rename = {"throttleSettings": "throttle", "quotaSettings": "quota"}
    plan = this.create("apigateway:CreateUsagePlan", rename=rename)["id"]
    return this.answer(plan, arn=this.arn("apigateway", f"/usageplans/{plan}", account=False))


def _usage_plan_key(this: Making) -> Answer:
    made = this.create("apigateway:CreateUsagePlanKey")
    return this.answer(this["keyId"], name=made.get("name", ""))


def _domain_name(this: Making) -> Answer:
    made = this.create("apigateway:CreateDomainName")
    name = this["domainName"]
    return this.answer(
        name,
        made,
        arn=this.arn("apigateway", f"/domainnames/{name}", account=False),
        regionalZoneId=made.get("regionalHostedZoneId", ""),
    )


def _base_path_mapping(this: Making) -> Answer:
    this.create("apigateway:CreateBasePathMapping", rename=_API | {"stageName": "stage"})
    return this.answer(f"{this['domainName']}/{this.get('basePath', '')}")


def _vpc_link(this: Making) -> Answer:
    this.validate_only()
    this.create("apigatewayv2:CreateVpcLink")
    link = f"vl{this['name'][-7:]}"
    return this.answer(link, arn=this.arn("apigateway", f"/vpclinks/{link}", account=False))


def _web_acl_association(this: Making) -> Answer:
    this.validate_only()
    this.create("wafv2:AssociateWebACL")
    return this.answer(f"{this['webAclArn']},{this['resourceArn']}")


TABLE: Final[Table] = {
    "aws:apigateway/account:Account": _api_account,
    "aws:apigateway/apiKey:ApiKey": _api_key,
    "aws:apigateway/basePathMapping:BasePathMapping": _base_path_mapping,
    "aws:apigateway/deployment:Deployment": _deployment,
    "aws:apigateway/domainName:DomainName": _domain_name,
    "aws:apigateway/integration:Integration": _integration,
    "aws:apigateway/method:Method": _method,
    "aws:apigateway/methodSettings:MethodSettings": _method_settings,
    "aws:apigateway/resource:Resource": _api_resource,
    "aws:apigateway/restApi:RestApi": _rest_api,
    "aws:apigateway/restApiPolicy:RestApiPolicy": _rest_api_policy,
    "aws:apigateway/stage:Stage": _stage,
    "aws:apigateway/usagePlan:UsagePlan": _usage_plan,
    "aws:apigateway/usagePlanKey:UsagePlanKey": _usage_plan_key,
    "aws:apigatewayv2/vpcLink:VpcLink": _vpc_link,
    "aws:wafv2/webAclAssociation:WebAclAssociation": _web_acl_association,
}
