"""The lock files: what is tested is what is deployed, from wherever it is fetched."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUNTIME = ROOT / "src" / "requirements.txt"
DEVELOPMENT = ROOT / "requirements" / "dev.lock"
SAM = ROOT / "requirements" / "sam.lock"
SITE = ROOT / "requirements" / "site.lock"


def versions(file: Path) -> dict[str, str]:
    """The locked version of each distribution."""
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", file.read_text(), re.MULTILINE))


def test_tests_run_what_lambda_runs() -> None:
    """Every distribution of the Lambda package is locked to the same version for development."""
    assert versions(RUNTIME).items() <= versions(DEVELOPMENT).items()


def test_lambda_package_leaves_boto3_to_the_runtime() -> None:
    """boto3 is not packed: the Lambda runtime brings it, and it would be nine tenths of the package."""
    assert not {"boto3", "botocore"} & versions(RUNTIME).keys()


@pytest.mark.parametrize("file", [RUNTIME, DEVELOPMENT, SAM, SITE], ids=lambda file: file.name)
def test_locks_name_no_index(file: Path) -> None:
    """A lock file holds names, versions and hashes; whoever installs chooses the index."""
    assert "://" not in file.read_text()
    assert versions(file)
