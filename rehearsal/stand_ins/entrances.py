"""Where requests come in: load balancers. REST APIs are in `rest_apis`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rehearsal.stand_ins.shapes import word

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
    return [{"Key": key, "Value": word(this[name])} for name, key in keys.items() if name in this.inputs]


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
        attributes += [{"Key": f"{key}.{part}", "Value": word(value)} for part, value in logs.items()]
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
        attributes += [{"Key": f"stickiness.{keys[part]}", "Value": word(value)} for part, value in stickiness.items()]
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


TABLE: Final[Table] = {
    "aws:lb/listener:Listener": _listener,
    "aws:lb/listenerCertificate:ListenerCertificate": _listener_certificate,
    "aws:lb/listenerRule:ListenerRule": _listener_rule,
    "aws:lb/loadBalancer:LoadBalancer": _load_balancer,
    "aws:lb/targetGroup:TargetGroup": _target_group,
}
