"""Fixtures of the tests of deploy/."""

import os
import subprocess

import pytest

from tests.support.hub import SERVER
from tests.support.image import Image
from tests.support.manifests import ROOT

BUILD_SECONDS = 600
EPOCH = 1_700_000_000  # Some time, the same in every build.


def build_image(output):
    done = subprocess.run([ROOT / "deploy/image/build.sh", "--output", output], capture_output=True, text=True,
                          env=os.environ | {"SOURCE_DATE_EPOCH": str(EPOCH)}, timeout=BUILD_SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    return output


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """What deploy/image/build.sh has made."""
    return build_image(tmp_path_factory.mktemp("image"))


@pytest.fixture(scope="session")
def image(built, tmp_path_factory):
    if os.geteuid() != 0:
        pytest.skip("a container's restrictions can only be set up by root")
    bundle = tmp_path_factory.mktemp("unpacked") / "bundle"
    subprocess.run(["umoci", "unpack", "--image", f"{built / 'oci'}:{version()}", bundle],
                   check=True, timeout=BUILD_SECONDS)
    for folder in (bundle, bundle.parent, bundle.parent.parent):
        folder.chmod(0o755)  # The hub's user has to get through.
    return Image(bundle)


def version():
    said = subprocess.run([SERVER, "--version"], check=True, capture_output=True, text=True).stdout
    return said.split()[-1]
