"""GitHub in miniature, whose every exchange is judged by what GitHub publishes."""

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from emulator.githost.forge import Forge
from emulator.githost.github import App, GitHub
from emulator.githost.wire import Site
from tests.hosts.official.judge import Judge


def judged(forge: Forge, app: App | None = None) -> tuple[GitHub, Site, Judge]:
    """Return a GitHub over a forge, the site that serves it, and the judge that sits in it."""
    github = GitHub(forge, app)
    judge = Judge(github.plain)
    site = Site(forge, github, judge)
    github.url = lambda: site.url
    return github, site, judge


def key_pair() -> tuple[str, str]:
    """Return the private and the public key of an App, PEM."""
    made = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    private = made.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = made.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.decode(), public.decode()
