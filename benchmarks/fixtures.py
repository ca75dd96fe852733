"""What both sides of the benchmark stand on."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from components.adopted_network import AdoptedNetwork

ROOT: Final = Path(__file__).parents[1]
ACCOUNT_ID: Final = "111122223333"
REGION: Final = "eu-west-1"
DIGEST: Final = "sha256:" + "a" * 64
REPOSITORY_URL: Final = f"{ACCOUNT_ID}.dkr.ecr.{REGION}.amazonaws.com/query-service"
REPOSITORY_ARN: Final = f"arn:aws:ecr:{REGION}:{ACCOUNT_ID}:repository/query-service"
IMAGE_URI: Final = f"{REPOSITORY_URL}@{DIGEST}"
KEY_ARN: Final = f"arn:aws:kms:{REGION}:{ACCOUNT_ID}:key/0a1b2c3d"
ENDPOINT_ID: Final = "vpce-0a1b2c3d"
NETWORK: Final = AdoptedNetwork(
    vpc_id="vpc-0a1b2c3d",
    cidr="10.0.0.0/16",
    zones=("a", "b"),
    app_subnet_ids=("subnet-0a1b2c3d", "subnet-1a1b2c3d"),
    endpoint_ids={"execute-api": ENDPOINT_ID},
)
