"""Where requests come in: load balancers, and REST APIs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rehearsal.graph import Answer
    from rehearsal.stand_ins.calls import Making, Table

# Elastic Load Balancing sets these by keys of its own, in a second call.
_BALANCER_ATTRIBUTES: Final = {
    "clientKeepAlive": "client_keep_alive.seconds",
    "desyncMitigationMode": "routing.http.desync_mitigation_mode",
    "dnsRecordClientRoutingPolicy": "dns_record.client_routing_policy",
    "dropInvalidHeaderFields": "routing.http.drop_invalid_header_fields.enabled",
    "enableCrossZoneLoadBalancing": "load_balancing.cross_zone.enabled",
    "enableDeletionProtection": "deletion_protection.enabled",
    "enableHttp2": "routing.http2.enabled",
    "enableTlsVersionAndCipherSuiteHeaders": "routing.http.x_amzn_tls_version_and_cipher_suite.enabled",
    "enableWafFailOpen": "waf.fail_open.enabled",
    "enableXffClientPort": "routing.http.xff_client_port.enabled",
    "enableZonalShift": "zonal_shift.config.enabled",
    "idleTimeout": "idle_timeout.timeout_seconds",
    "preserveHostHeader": "routing.http.preserve_host_header.enabled",
    "xffHeaderProcessingMode": "routing.http.xff_header_processing.mode",
}
_TARGET_GROUP_ATTRIBUTES: Final = {
    "connectionTermination": "deregistration_delay.connection_termination.enabled",
    "deregistrationDelay": "deregistration_delay.timeout_seconds",
    "loadBalancingAlgorithmType": "load_balancing.algorithm.type",
    "loadBalancingAnomalyMitigation": "load_balancing.algorithm.anomaly_mitigation",
    "loadBalancingCrossZoneEnabled": "load_balancing.cross_zone.enabled",
    "preserveClientIp": "preserve_client_ip.enabled",
    "proxyProtocolV2": "proxy_protocol_v2.enabled",
    "slowStart": "slow_start.duration_seconds",
}
_LOGS: Final = {"accessLogs": "access_logs.s3", "connectionLogs": "connection_logs.s3"}
_HEALTH_CHECK: Final = {
    "enabled": "HealthCheckEnabled",
    "healthyThreshold": "HealthyThresholdCount",
    "interval": "HealthCheckIntervalSeconds",
    "path": "HealthCheckPath",
    "port": "HealthCheckPort",
    "protocol": "HealthCheckProtocol",
    "timeout": "HealthCheckTimeoutSeconds",
    "unhealthyThreshold": "UnhealthyThresholdCount",
}


def _attributes(this: Making, keys: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": _word(this[name])} for name, key in keys.items() if name in this.inputs]


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _load_balancer(this: Making) -> Answer:
    made = this.create(
        "elbv2:CreateLoadBalancer",
        {"Scheme": "internal" if this.get("internal") else "internet-facing"},
        apart=[*_BALANCER_ATTRIBUTES, *_LOGS, "internal"],
        rename={"loadBalancerType": "Type"},
    )["LoadBalancers"][0]
    arn = made["LoadBalancerArn"]
    attributes = _attributes(this, _BALANCER_ATTRIBUTES)
    for name, key in _LOGS.items():
        logs: dict[str, Any] = {"enabled": True} | this[name] if name in this.inputs else {}
        attributes += [{"Key": f"{key}.{part}", "Value": _word(value)} for part, value in logs.items()]
    if attributes:
        this.call("elbv2:ModifyLoadBalancerAttributes", LoadBalancerArn=arn, Attributes=attributes)
    first = this["subnets"][0] if "subnets" in this.inputs else this["subnetMappings"][0]["subnetId"]
    subnet = this.call("ec2:DescribeSubnets", SubnetIds=[first])["Subnets"][0]
    return this.answer(
        arn,
        made,
        arn=arn,
        arnSuffix=arn.split(":loadbalancer/")[1],  # what CloudWatch calls it
        dnsName=made["DNSName"],
        zoneId=made["CanonicalHostedZoneId"],
        vpcId=subnet["VpcId"],  # the emulator names another
    )


def _target_group(this: Making) -> Answer:
    check = this.get("healthCheck", {})
    given = {member: check[name] for name, member in _HEALTH_CHECK.items() if name in check}
    if "HealthCheckPort" in given:
        given["HealthCheckPort"] = str(given["HealthCheckPort"])
    if "matcher" in check:
        code = "GrpcCode" if this.get("protocolVersion") == "GRPC" else "HttpCode"
        given["Matcher"] = {code: str(check["matcher"])}
    apart = [*_TARGET_GROUP_ATTRIBUTES, "healthCheck", "stickiness"]
    made = this.create("elbv2:CreateTargetGroup", given, apart=apart)["TargetGroups"][0]
    arn = made["TargetGroupArn"]
    attributes = _attributes(this, _TARGET_GROUP_ATTRIBUTES)
    if "stickiness" in this.inputs:
        stickiness = {"enabled": True} | this["stickiness"]
        keys = {"enabled": "enabled", "type": "type"}
        keys |= {"cookieDuration": f"{stickiness['type']}.duration_seconds", "cookieName": "app_cookie.cookie_name"}
        attributes += [{"Key": f"stickiness.{keys[part]}", "Value": _word(value)} for part, value in stickiness.items()]
    if attributes:
        this.call("elbv2:ModifyTargetGroupAttributes", TargetGroupArn=arn, Attributes=attributes)
    return this.answer(arn, arn=arn, arnSuffix=arn.split(":")[-1], loadBalancerArns=made.get("LoadBalancerArns", []))


def _actions(block: str) -> dict[str, str]:
    return {
        f"{block}.forward.targetGroups.arn": "TargetGroupArn",
        f"{block}.forward.stickiness": "TargetGroupStickinessConfig",
        f"{block}.forward.stickiness.duration": "DurationSeconds",
    }


def _listener(this: Making) -> Answer:
    given = {"Certificates": [{"CertificateArn": this["certificateArn"]}]} if this.get("certificateArn") else {}
    inputs = {"protocol": "HTTP"} | this.inputs
    rename = _actions("defaultActions")
    made = this.create("elbv2:CreateListener", given, inputs=inputs, apart=["certificateArn"], rename=rename)
    arn = made["Listeners"][0]["ListenerArn"]
    return this.answer(arn, arn=arn, protocol=inputs["protocol"])


def _listener_rule(this: Making) -> Answer:
    conditions = [
        # Query strings alone come as a bare list.
        {"field": _FIELDS[name], name: {"values": value} if name == "queryStrings" else value}
        for each in this["conditions"]
        for name, value in each.items()
    ]
    inputs = this.inputs | {"conditions": conditions}
    made = this.create("elbv2:CreateRule", inputs=inputs, rename=_actions("actions"))["Rules"][0]
    return this.answer(made["RuleArn"], arn=made["RuleArn"])


_FIELDS: Final = {
    "hostHeader": "host-header",
    "httpHeader": "http-header",
    "httpRequestMethod": "http-request-method",
    "pathPattern": "path-pattern",
    "queryStrings": "query-string",
    "sourceIp": "source-ip",
}


def _listener_certificate(this: Making) -> Answer:
    this.validate_only()
    given = {"Certificates": [{"CertificateArn": this["certificateArn"]}]}
    this.create("elbv2:AddListenerCertificates", given, apart=["certificateArn"])
    return this.answer(f"{this['listenerArn']}_{this['certificateArn']}")


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
    return {"op": "replace", "path": path, "value": _word(value)}


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


TABLE: Final[Table] = {
    "aws:apigateway/account:Account": _api_account,
    "aws:apigateway/deployment:Deployment": _deployment,
    "aws:apigateway/integration:Integration": _integration,
    "aws:apigateway/method:Method": _method,
    "aws:apigateway/methodSettings:MethodSettings": _method_settings,
    "aws:apigateway/resource:Resource": _api_resource,
    "aws:apigateway/restApi:RestApi": _rest_api,
    "aws:apigateway/restApiPolicy:RestApiPolicy": _rest_api_policy,
    "aws:apigateway/stage:Stage": _stage,
    "aws:lb/listener:Listener": _listener,
    "aws:lb/listenerCertificate:ListenerCertificate": _listener_certificate,
    "aws:lb/listenerRule:ListenerRule": _listener_rule,
    "aws:lb/loadBalancer:LoadBalancer": _load_balancer,
    "aws:lb/targetGroup:TargetGroup": _target_group,
}
