"""Who may do what, and with which keys: IAM, KMS and Secrets Manager."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rehearsal.graph import Answer
    from rehearsal.stand_ins.calls import Making, Table


def _role(this: Making) -> Answer:
    apart = ["inlinePolicies", "managedPolicyArns", "forceDetachPolicies"]
    rename = {"name": "RoleName", "assumeRolePolicy": "AssumeRolePolicyDocument"}
    made = this.create("iam:CreateRole", apart=apart, rename=rename)["Role"]
    for policy in this.get("managedPolicyArns", []):
        this.call("iam:AttachRolePolicy", RoleName=this["name"], PolicyArn=policy)
    for policy in this.get("inlinePolicies", []):
        this.call(
            "iam:PutRolePolicy", RoleName=this["name"], PolicyName=policy["name"], PolicyDocument=policy["policy"]
        )
    return this.answer(this["name"], made, arn=made["Arn"], uniqueId=made["RoleId"], createDate=str(made["CreateDate"]))


def _role_policy(this: Making) -> Answer:
    this.create("iam:PutRolePolicy", rename=_POLICY)
    return this.answer(f"{this['role']}:{this['name']}")


_POLICY: Final = {"name": "PolicyName", "policy": "PolicyDocument", "role": "RoleName"}


def _managed_policy(this: Making) -> Answer:
    made = this.create("iam:CreatePolicy", rename={"name": "PolicyName", "policy": "PolicyDocument"})["Policy"]
    return this.answer(made["Arn"], made, arn=made["Arn"], policyId=made["PolicyId"])


def _identity_provider(this: Making) -> Answer:
    rename = {"clientIdLists": "ClientIDList", "thumbprintLists": "ThumbprintList"}
    arn = this.create("iam:CreateOpenIDConnectProvider", rename=rename)["OpenIDConnectProviderArn"]
    return this.answer(arn, arn=arn, thumbprintLists=this.get("thumbprintLists", []))


def _role_policy_attachment(this: Making) -> Answer:
    this.create("iam:AttachRolePolicy", rename={"role": "RoleName"})
    return this.answer(f"{this['role']}-{this['policyArn']}")


def _key(this: Making) -> Answer:
    apart = ["enableKeyRotation", "rotationPeriodInDays", "deletionWindowInDays", "isEnabled"]
    made = this.create("kms:CreateKey", apart=apart)["KeyMetadata"]
    if this.get("enableKeyRotation"):
        days = {"RotationPeriodInDays": this["rotationPeriodInDays"]} if "rotationPeriodInDays" in this.inputs else {}
        this.call("kms:EnableKeyRotation", KeyId=made["KeyId"], **days)
    return this.answer(made["KeyId"], made, arn=made["Arn"])


def _key_alias(this: Making) -> Answer:
    this.create("kms:CreateAlias", rename={"name": "AliasName"})
    key = this.call("kms:DescribeKey", KeyId=this["targetKeyId"])["KeyMetadata"]
    return this.answer(this["name"], arn=this.arn("kms", this["name"]), targetKeyArn=key["Arn"])


def _secret(this: Making) -> Answer:
    apart = ["policy", "recoveryWindowInDays", "replicas"]
    replicas = [{"Region": each["region"]} for each in this.get("replicas", [])]
    given = {"AddReplicaRegions": replicas} if replicas else {}
    made = this.create("secretsmanager:CreateSecret", given, apart=apart)
    if "policy" in this.inputs:
        this.call("secretsmanager:PutResourcePolicy", SecretId=made["ARN"], ResourcePolicy=this["policy"])
    return this.answer(made["ARN"], arn=made["ARN"])


def _secret_version(this: Making) -> Answer:
    made = this.create("secretsmanager:PutSecretValue")
    version = made["VersionId"]
    return this.answer(f"{made['ARN']}|{version}", arn=made["ARN"], secretArn=made["ARN"], versionId=version)


TABLE: Final[Table] = {
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": _identity_provider,
    "aws:iam/policy:Policy": _managed_policy,
    "aws:iam/role:Role": _role,
    "aws:iam/rolePolicy:RolePolicy": _role_policy,
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": _role_policy_attachment,
    "aws:kms/alias:Alias": _key_alias,
    "aws:kms/key:Key": _key,
    "aws:secretsmanager/secret:Secret": _secret,
    "aws:secretsmanager/secretVersion:SecretVersion": _secret_version,
}
