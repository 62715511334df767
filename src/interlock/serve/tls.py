"""The certificate that a server shows its callers, looked at before anybody sees it. Knows no request."""

from __future__ import annotations

import ssl
from contextlib import suppress
from pathlib import Path
from typing import Self

from interlock.core.errors import InputError, Problem
from interlock.serve.settings import Settings

REFUSED = "this certificate cannot be served with"
OUT_OF_DATE = frozenset({9, 10})  # X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED


class Tls:
    """What TLS needs to show a certificate and its chain."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """Open the files.

        Raises:
            InputError: as ``_opened`` does.
        """
        self._files = certificate, key
        self.context = _opened(certificate, key)

    @classmethod
    def of(cls, settings: Settings) -> Self | None:
        """Open what a server's settings name; ``None`` where they name nothing."""
        if settings.tls_certificate is None or settings.tls_key is None:
            return None
        return cls(settings.tls_certificate, settings.tls_key)

    def renew(self) -> None:
        """Show callers that connect from now on what stands in the files now; after an error, what was shown before.

        Raises:
            InputError: as ``_opened`` does.
        """
        _opened(*self._files)  # the context in use would lose what it has by loading what does not fit
        _load(self.context, *self._files)


def _opened(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return a context that shows a certificate.

    Raises:
        InputError: it is none, its key is another's or has a password, or by its dates no caller would take it now.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _load(context, certificate, key)
    if said := _said_of(context, certificate):
        raise InputError(REFUSED, [Problem(str(certificate), "", "a certificate that is valid now", said)])
    return context


def _load(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    try:
        context.load_cert_chain(certificate, key, password=lambda: "")  # a server has nobody to ask for one
    except OSError as error:  # what OpenSSL raises is one, too
        expected = "a PEM certificate and its key, without a password"
        raise InputError(REFUSED, [Problem(f"{certificate}, {key}", "", expected, str(error))]) from error


def _said_of(shown: ssl.SSLContext, certificate: Path) -> str:
    """Return what a caller who trusts this very certificate has against its dates; usually nothing."""
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False
    trusting.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        trusting.load_verify_locations(certificate)
        caller, server = trusting.wrap_bio(back, there), shown.wrap_bio(there, back, server_side=True)
        for side in (caller, server, caller):
            with suppress(ssl.SSLWantReadError):
                side.do_handshake()
    except ssl.SSLError as error:
        if isinstance(error, ssl.SSLCertVerificationError) and error.verify_code in OUT_OF_DATE:
            return error.verify_message
    return ""  # what else a caller like this one may have against it, others need not have
