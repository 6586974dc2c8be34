"""Google's refusals, in the JSON that Google sends."""

from __future__ import annotations

from typing import Any

WORDS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
MESSAGES = {
    401: "Request had invalid authentication credentials. Expected OAuth 2 access token, login "
    "cookie or other valid authentication credential.",
    403: "The caller does not have permission",
    404: "Requested entity was not found.",
    429: "Quota exceeded for quota metric 'Read requests' and limit 'Read requests per minute per "
    "user' of service 'sheets.googleapis.com' for consumer 'project_number:123456789012'.",
    500: "Internal error encountered.",
    503: "The service is currently unavailable.",
}
PROJECT = "123456789012"
NAMES = {"sheets": "Google Sheets API", "drive": "Google Drive API"}


class Refused(Exception):
    """A request that Google doesn't do: its status, its body, and perhaps Retry-After."""

    def __init__(
        self,
        status: int,
        message: str = "",
        *,
        word: str = "",
        details: list[dict[str, Any]] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(status, message)
        self.status, self.retry_after = status, retry_after
        self.body: Any = {
            "error": {
                "code": status,
                "message": message or MESSAGES.get(status, "Something is wrong."),
                "status": word or WORDS.get(status, "UNKNOWN"),
                **({"details": details} if details else {}),
            }
        }


def invalid(message: str) -> Refused:
    return Refused(400, message)


def grant_refused(error: str, description: str) -> Refused:
    """The form of OAuth, which isn't that of the other errors."""
    refused = Refused(400)
    refused.body = {"error": error, "error_description": description}
    return refused


def switched_off(api: str) -> Refused:
    service = f"{api}.googleapis.com"
    page = f"https://console.developers.google.com/apis/api/{service}/overview?project={PROJECT}"
    message = (
        f"{NAMES[api]} has not been used in project {PROJECT} before or it is disabled. "
        f"Enable it by visiting {page} then retry."
    )
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "SERVICE_DISABLED",
        "domain": "googleapis.com",
        "metadata": {"service": service, "consumer": f"projects/{PROJECT}"},
    }
    links = [{"description": "Google developers console API activation", "url": page}]
    help_ = {"@type": "type.googleapis.com/google.rpc.Help", "links": links}
    return Refused(403, message, details=[info, help_])


def scopes_lacking() -> Refused:
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
        "domain": "googleapis.com",
    }
    return Refused(403, "Request had insufficient authentication scopes.", details=[info])


def no_file(file_id: str) -> Refused:
    message = f"File not found: {file_id}."
    refused = Refused(404, message)
    place = {"domain": "global", "reason": "notFound", "location": "fileId"}
    refused.body["error"]["errors"] = [{"message": message, "locationType": "parameter", **place}]
    del refused.body["error"]["status"]
    return refused
