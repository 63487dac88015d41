"""Sign-in of persons to the console: the identity provider, as the credentials service asks it."""

from keyturn.doctor.diagnoses import callers
from keyturn.doctor.findings import AreaReport
from keyturn.doctor.scene import Scene
from keyturn_credentials.oidc.errors import SignInError
from keyturn_credentials.oidc.provider import Provider
from keyturn_shared.network.fetcher import GuardedFetcher


async def check_sign_in(scene: Scene, report: AreaReport) -> None:
    """Fetch the provider's discovery document and keys. Raises ConfigurationError."""
    settings = scene.settings
    oidc = settings.oidc()
    if oidc is None:
        report.summary = "of clients only"
        return
    report.summary = f"of persons at {oidc.issuer}"
    fetcher = GuardedFetcher(tls=settings.oidc_tls(), proxy=settings.proxy())
    try:
        provider = Provider(oidc, fetcher, scene.clock)
        await provider.metadata()
        await provider.keys()
    except SignInError as error:
        only = settings.console_oidc_only
        report.add(callers.CONSOLE_CLOSED if only else callers.IDENTITY_PROVIDER_UNUSABLE, error.detail)
    finally:
        fetcher.close()
