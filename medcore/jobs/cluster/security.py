"""Who may talk to the cluster: holders of this installation's key, over TLS.

Dask's messages are pickles, so whoever reaches the scheduler can run code as
this user. Loopback alone keeps other machines out but not other users of this
one; mutual TLS with a key only this user can read does.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from medcore.safe_files import private_folder, write_whole
from medcore.settings import Settings, check_scheduler

if TYPE_CHECKING:
    from distributed import Security

YEARS = 10


def cluster_security(settings: Settings) -> Security:
    """Return what a client needs to be let in: the local key, or the files of a named cluster.

    Raises:
        SettingsError: a named cluster without TLS, which medcore does not talk to.

    """
    from distributed import Security

    if settings.scheduler is None:
        pem = str(local_key(settings))
        return Security(require_encryption=True, tls_ca_file=pem, tls_client_cert=pem, tls_client_key=pem)
    check_scheduler(settings)
    return Security(
        require_encryption=True,
        tls_ca_file=settings.tls_ca,
        tls_client_cert=settings.tls_cert,
        tls_client_key=settings.tls_key,
    )


def local_key(settings: Settings) -> Path:
    """Return the file with the local cluster's key and certificate; written anew by :func:`renew_local_key`."""
    return settings.data_dir / "jobs" / "cluster.pem"


def renew_local_key(settings: Settings) -> Path:
    """Make a new key and a certificate that vouches for itself, readable by this user only."""
    path = local_key(settings)
    private_folder(path.parent)
    write_whole(path, _key_and_certificate())
    return path


def _key_and_certificate() -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "medcore local cluster")])
    moment = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - timedelta(days=1))
        .not_valid_after(moment + timedelta(days=365 * YEARS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)
