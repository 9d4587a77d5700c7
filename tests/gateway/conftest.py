import pytest

from tests.gateway.stand_in import StandIn, stand_in


@pytest.fixture
def aws_url(monkeypatch):
    """A stand-in for AWS, reached as every AWS tool reaches AWS."""
    with stand_in(StandIn()) as state:
        for name, value in {
            "AWS_ENDPOINT_URL": state.url,
            "AWS_ACCESS_KEY_ID": "AKIABASE",
            "AWS_SECRET_ACCESS_KEY": "base",
            "AWS_CONFIG_FILE": "/nonexistent",
            "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
            "AWS_EC2_METADATA_DISABLED": "true",
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("AWS_PROFILE", raising=False)
        monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
        yield state
