"""What a rehearsal cannot show, whatever the program: printed with every result, so that nobody takes it for proved."""

from __future__ import annotations

from typing import Final

NOT_ASKED: Final = (
    "whether whoever deploys may (the emulator is used as the account's root), and iam:PassRole",
    "service quotas, prices, and what a region does not have",
    "TLS and certificates",
    "real firing of alarms, scaling and lifecycle rules",
)
"""What the emulator does not do, or does not ask."""

CORRECTED: Final = {
    "_know_root_by_its_key": "who is the account's root",
    "record_refusals": "which refusals are recorded",
    "_let_services_assume_roles": "aws:SourceArn and aws:SourceAccount in a role's trust",
    "_let_functions_assume_their_role": "the trust of a function's role",
    "_show_private_apis_their_endpoint": "aws:SourceVpc and aws:SourceVpce for a private API",
    "_ask_functions_for_permission": "a function's permission for API Gateway",
    "_name_log_streams": "the ARN that log actions are held against",
    "_name_parameters": "the ARN that ssm:GetParameters is held against",
    "_leave_balancers_their_paths": "which requests are a load balancer's",
    "probe_targets": "the health of a load balancer's targets",
    "register_tasks": "the registration of a service's tasks in Cloud Map, and their health there",
    "find_the_healthy": "which instances DiscoverInstances answers with by default",
    "name_what_is_discovered": "the ARNs that servicediscovery:DiscoverInstances is held against",
}
"""A correction of the emulator, by its function → where it thus follows our own reading of AWS's documentation."""
