"""A real mail server on loopback, with faults to order; it keeps what it has accepted."""

from __future__ import annotations

import asyncio
import re
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

USER, PASSWORD = "killer", "the account's own secret"
BREAK = "break"  # closes the connection instead of an answer
SILENCE = "silence"  # never answers
LINK = re.compile(r"https?://\S+/s/([\w-]{22})")


@dataclass
class Faults:
    """What is to go wrong: an answer, BREAK or SILENCE, by recipient, each taken from the front.

    `lost` names recipients whose mail is taken, and its answer lost.
    """

    sender: list[str] = field(default_factory=list)
    recipient: dict[str, list[str]] = field(default_factory=dict)
    data: dict[str, list[str]] = field(default_factory=dict)  # in the place of 354
    dot: dict[str, list[str]] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)  # always 550
    lost: list[str] = field(default_factory=list)

    def next(self, stage: str, address: str) -> str:
        waiting: list[str] = getattr(self, stage).get(address, [])
        return waiting.pop(0) if waiting else ""


@dataclass
class Box:
    """The server as a test sees it."""

    port: int = 0
    ca_file: Path = Path()
    mails: list[tuple[str, EmailMessage]] = field(default_factory=list)
    envelopes: list[tuple[str, str]] = field(default_factory=list)
    secured: list[bool] = field(default_factory=list)
    signed_in: list[bool] = field(default_factory=list)
    connections: int = 0
    faults: Faults = field(default_factory=Faults)
    on_mail: Callable[[int], None] = lambda _count: None

    @property
    def recipients(self) -> list[str]:
        return [address for address, _ in self.mails]

    def mail_to(self, address: str) -> EmailMessage:
        (found,) = (mail for to, mail in self.mails if to == address)
        return found

    def token(self, address: str) -> str:
        return token_of(self.mail_to(address))


def token_of(mail: EmailMessage) -> str:
    """Give the token of a mail's link, which stands in both its forms."""
    plain = mail.get_body(("plain",)).get_content()
    html = mail.get_body(("html",)).get_content()
    (token,) = set(LINK.findall(plain)) | set(re.findall(r'/s/([\w-]{22})"', html))
    return token


class _Handler:
    def __init__(self, box: Box) -> None:
        self.box = box

    async def handle_MAIL(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.box.faults.sender:
            return await _answered(server, self.box.faults.sender.pop(0))
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.box.faults.refused:
            return f"550 5.1.1 <{address}>: no such user here"
        if fault := self.box.faults.next("recipient", address):
            return await _answered(server, fault)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802  # as above
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        (address,), box = envelope.rcpt_tos, self.box
        if fault := box.faults.next("dot", address):
            return await _answered(server, fault)
        mail = message_from_bytes(envelope.content, policy=default)
        box.mails.append((address, mail))
        box.envelopes.append((envelope.mail_from, address))
        box.secured.append(session.ssl is not None)
        box.signed_in.append(bool(session.authenticated))
        box.on_mail(len(box.mails))
        if address in box.faults.lost:
            box.faults.lost.remove(address)
            return await _answered(server, BREAK)
        return "250 OK"


async def _answered(server: SMTP, fault: str) -> str:
    if fault == SILENCE:
        await asyncio.sleep(3600)
    if fault == BREAK:
        server.transport.abort()
        await asyncio.sleep(0)
        raise ConnectionResetError
    if fault.startswith("421"):
        asyncio.get_running_loop().call_later(0.02, server.transport.close)
    return fault


class _Line(SMTP):
    """One connection; it can refuse or break in the place of 354 as well."""

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802  # as above
        address = self.envelope.rcpt_tos[0] if self.envelope.rcpt_tos else ""
        fault = self.event_handler.box.faults.next("data", address)
        if fault:
            try:
                await self.push(await _answered(self, fault))
            except ConnectionResetError:
                return
        else:
            await super().smtp_DATA(arg)

    def connection_made(self, transport: Any) -> None:
        if not isinstance(transport, asyncio.sslproto._SSLProtocolTransport):
            self.event_handler.box.connections += 1
        super().connection_made(transport)


def _authenticate(
    _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: LoginPassword
) -> AuthResult:
    ok = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=ok, handled=ok)


@contextmanager
def mail_server(
    folder: Path, *, security: str = "starttls", names: tuple[str, ...] = ("localhost",)
) -> Iterator[Box]:
    """Run a server while the block lasts: `starttls`, `tls`, `none`, or `mute` (no STARTTLS)."""
    box = Box(ca_file=folder / "ca.pem")
    handler = _Handler(box)
    context = certificate(folder, names)
    plain = security in {"none", "mute"}

    def line() -> SMTP:
        return _Line(
            handler,
            hostname="localhost",
            tls_context=None if plain or security == "tls" else context,
            require_starttls=security == "starttls",
            authenticator=_authenticate,
            auth_required=security == "starttls",
            auth_require_tls=security == "starttls",
            timeout=3600,
        )

    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda _loop, _context: None)  # the breaks are meant
    wrapped = context if security == "tls" else None
    server = loop.run_until_complete(loop.create_server(line, "127.0.0.1", 0, ssl=wrapped))
    box.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield box
    finally:
        asyncio.run_coroutine_threadsafe(_ended(server), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()


async def _ended(server: asyncio.Server) -> None:
    server.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


# --- a throw-away authority ---


def certificate(folder: Path, names: tuple[str, ...]) -> ssl.SSLContext:
    """Make an authority (`ca.pem`) and the certificate of a server of these names."""
    authority, key = (
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP256R1()),
    )
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority of a test")])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    own = _begun(issuer, issuer, authority).add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    )
    own = own.add_extension(_usage(signs=True), critical=True).add_extension(
        x509.SubjectKeyIdentifier.from_public_key(authority.public_key()), critical=False
    )
    alternatives = [x509.DNSName(n) for n in names]
    address = [x509.IPAddress(ip_address("127.0.0.1"))] if "localhost" in names else []
    leaf = (
        _begun(issuer, subject, key)
        .add_extension(x509.SubjectAlternativeName([*alternatives, *address]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()),
            critical=False,
        )
    )
    (folder / "ca.pem").write_bytes(_pem(own.sign(authority, hashes.SHA256())))
    (folder / "server.pem").write_bytes(_pem(leaf.sign(authority, hashes.SHA256())))
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "server.key").write_bytes(secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    return context


def _begun(
    issuer: x509.Name, subject: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .issuer_name(issuer)
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=2))
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    others = dict.fromkeys(
        (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    return x509.KeyUsage(key_cert_sign=signs, crl_sign=signs, **others)


def _pem(signed: x509.Certificate) -> bytes:
    return signed.public_bytes(Encoding.PEM)
