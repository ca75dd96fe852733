"""A user's name and password as a secret: AWS makes the password, and neither the program nor its state ever has it.

A random value of the program's own would be in the state, and one that is looked up would be asked for at each run.
CloudFormation has what neither Secrets Manager's own API nor the provider has: a secret that is made with a random
value. So it is one secret in a stack of CloudFormation's, within which nothing else is. Whoever puts another value
there, as a rotation does, is left alone: the stack is changed only when what is said here changes.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-secretsmanager-secret-generatesecretstring.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pulumi_aws as aws

from components import documents, naming

if TYPE_CHECKING:
    from pulumi import Input, Output

    from components.base import Owner

LENGTH: Final = 40
"""Characters: letters and digits, since URLs, shells and drivers each spoil others. 238 bits."""


def make(
    within: Owner, name: str, *, secret_name: Input[str], username: str, kms_key_arn: Input[str] | None, what: str
) -> Output[str]:
    """Make the secret of *username*, described as *what*, within *within*, and return its ARN.

    Its value is a JSON object of ``username`` and ``password``, as RDS's own. It is encrypted with *kms_key_arn*;
    None is for AWS's own key. It goes with the stack, at once: CloudFormation knows no window to have it back in.

    Raises:
        InvalidArgsError: a name that leaves no room for Pulumi's suffix in CloudFormation's 128 characters.

    """
    properties: dict[str, Any] = {
        "Name": secret_name,
        "Description": what,
        "GenerateSecretString": {
            "SecretStringTemplate": json.dumps({"username": username}),
            "GenerateStringKey": "password",
            "PasswordLength": LENGTH,
            "ExcludePunctuation": True,
        },
    }
    if kms_key_arn is not None:
        properties["KmsKeyId"] = kms_key_arn
    stack = aws.cloudformation.Stack(
        naming.autonamed(name, naming.CLOUDFORMATION_STACK),
        template_body=documents.render(
            {
                "Resources": {"Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": properties}},
                "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Secret", "Id"]}}},
            }
        ),
        on_failure="DELETE",
        # The stack hands its tags down to the secret.
        tags=within.tags,
        opts=within.child(),
    )
    return stack.outputs["Arn"]
