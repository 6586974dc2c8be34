"""A line to the mail server: safe or not at all, and a mail handed over step by step."""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path

from killer.mail import addresses
from killer.mail.failures import MailError, Reach, refusal
from killer.settings import Settings

PATIENCE = 20.0  # seconds for each step
OK, GO_ON = range(200, 300), range(354, 355)
NO_FILE = Path()


def sender(settings: Settings) -> Address:
    """Give whom the mails come from: MAIL_FROM, or the account when it is an address.

    Raises:
        MailError: no server is set, or neither is an address.
    """
    if not settings.smtp_host:
        raise MailError("no_server", Reach.ALL)
    found = addresses.sender(settings.mail_from or settings.smtp_user)
    if found is None:
        raise MailError("no_sender", Reach.ALL)
    return found


class Post:
    """One line to the mail server, opened when it is needed and again when it broke."""

    def __init__(self, settings: Settings, patience: float = PATIENCE) -> None:
        self.sender = sender(settings)
        self._settings = settings
        self._patience = patience
        self._open: smtplib.SMTP | None = None
        self.was_reached = False  # by this run: then it is worth waiting for

    def hand(self, letter: EmailMessage, before_the_dot: Callable[[], None]) -> None:
        """Hand a mail over; this returns when the server has taken it.

        `before_the_dot` is called when nothing but the final dot is left to send: a failure before
        that call means that nothing went out; one after it, without an answer, that nobody knows.

        Raises:
            MailError: it was refused, or the line broke.
        """
        line = self._line()
        try:
            self._say(line, letter, before_the_dot)
        except MailError:
            self._begin_anew(line)
            raise
        except (smtplib.SMTPException, OSError) as error:  # a time-out too
            self._let_go()
            raise MailError("broken", Reach.LINE) from error
        except BaseException:
            self._let_go()  # in the middle of a mail: nothing else may follow on this line
            raise

    def _say(
        self, line: smtplib.SMTP, letter: EmailMessage, before_the_dot: Callable[[], None]
    ) -> None:
        recipient = letter["To"].addresses[0].addr_spec
        _expect("sender", OK, line.mail(self.sender.addr_spec))
        _expect("recipient", OK, line.rcpt(recipient))
        _expect("content", GO_ON, line.docmd("DATA"))
        line.send(_dotted(letter.as_bytes()))
        before_the_dot()
        line.send(b".\r\n")
        _expect("content", OK, line.getreply())

    def _begin_anew(self, line: smtplib.SMTP) -> None:
        """Forget the half of a mail that was refused, or the line when it can't."""
        try:
            code = line.rset()[0]
        except (smtplib.SMTPException, OSError):
            code = 0
        if code not in OK:
            self._let_go()

    def close(self) -> None:
        """Say goodbye."""
        if self._open is not None:
            with suppress(smtplib.SMTPException, OSError):
                self._open.quit()
        self._let_go()

    def _let_go(self) -> None:
        line, self._open = self._open, None
        if line is not None:
            line.close()

    def _line(self) -> smtplib.SMTP:
        if self._open is None:
            try:
                self._open = self._connected()
            except (smtplib.SMTPException, OSError, UnicodeError) as error:
                self.was_reached |= isinstance(error, smtplib.SMTPResponseException)
                raise _clear(error) from error
            self.was_reached = True
        return self._open

    def _connected(self) -> smtplib.SMTP:
        line = self._reached()
        try:
            self._secure(line)
            self._sign_in(line)
        except BaseException:
            line.close()
            raise
        return line

    def _reached(self) -> smtplib.SMTP:
        s, own = self._settings, self.sender.domain
        if s.smtp_security == "none" and not addresses.is_here(s.smtp_host):
            raise MailError("insecure", Reach.ALL)
        place, port = s.smtp_host, s.smtp_port
        if s.smtp_security == "tls":
            trust = _trust(s.smtp_ca_file)
            line: smtplib.SMTP = smtplib.SMTP_SSL(
                place, port, own, timeout=self._patience, context=trust
            )
        else:
            line = smtplib.SMTP(place, port, own, timeout=self._patience)
        assert line.sock is not None
        # the dot is a small packet of its own: it must not wait for the answer to the one before
        line.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return line

    def _secure(self, line: smtplib.SMTP) -> None:
        line.ehlo_or_helo_if_needed()
        if self._settings.smtp_security != "starttls":
            return
        if not line.has_extn("starttls"):
            raise MailError("no_starttls", Reach.ALL)
        code, said = line.starttls(context=_trust(self._settings.smtp_ca_file))
        if code not in OK:
            raise MailError("no_starttls", Reach.ALL, _told(code, said))

    def _sign_in(self, line: smtplib.SMTP) -> None:
        if not self._settings.smtp_user:
            return
        try:
            line.login(self._settings.smtp_user, self._settings.smtp_password)
        except smtplib.SMTPServerDisconnected:
            raise
        except smtplib.SMTPResponseException as error:
            raise MailError("login", Reach.ALL, _told(error.smtp_code, error.smtp_error)) from error
        except (smtplib.SMTPException, UnicodeError) as error:
            raise MailError("login", Reach.ALL) from error


def _trust(ca_file: Path) -> ssl.SSLContext:
    """Trust what the system trusts, and the certificates of a file."""
    trust = ssl.create_default_context()
    if ca_file != NO_FILE:
        try:
            trust.load_verify_locations(ca_file)
        except OSError as error:  # ssl.SSLError is one
            raise MailError("ca_file", Reach.ALL) from error
    return trust


def _clear(error: Exception) -> MailError:
    """Say why the server couldn't be reached."""
    match error:
        case ssl.SSLCertVerificationError():
            return MailError("certificate", Reach.ALL)
        case ssl.SSLError() if not isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            return MailError("tls", Reach.ALL)
        case UnicodeError():  # SMTP_HOST can't be a name
            return MailError("unreachable", Reach.ALL)
        case smtplib.SMTPResponseException():
            return MailError("unreachable", Reach.LINE, _told(error.smtp_code, error.smtp_error))
        case _:
            return MailError("unreachable", Reach.LINE)


def _expect(stage: str, wanted: range, answer: tuple[int, bytes]) -> None:
    code, said = answer
    if code not in wanted:
        raise refusal(stage, code, _told(code, said))


def _told(code: int, said: bytes | str) -> str:
    """Give what a server said, in one line."""
    text = said if isinstance(said, str) else said.decode("utf-8", "replace")
    return f"{code} {addresses.plain(text)}".strip()


def _dotted(mail: bytes) -> bytes:
    """Prepare a mail for DATA, without the final dot (RFC 5321, 4.5.2)."""
    whole = mail if mail.endswith(b"\r\n") else mail + b"\r\n"
    return re.sub(rb"(?m)^\.", b"..", whole)
