"""Each failure by what follows from it, and what is said of it."""

import pytest
from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from reconciler.core.errors import (
    ChangedError,
    ConflictError,
    DeadlineError,
    ForbiddenCallError,
    InvalidError,
    RetryLaterError,
    WrongAccountError,
)
from reconciler.gateway.errors import ENDS_TARGET, Failure, classify, code_of, redacted, say


def reply(code, message="", operation="DescribeThings", status=400):
    return boto.ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}},
        operation,
    )


REPLIES = [
    (Failure.THROTTLED, "Throttling", "Rate exceeded"),
    (Failure.THROTTLED, "RequestLimitExceeded", ""),
    (Failure.THROTTLED, "Client.RequestLimitExceeded", ""),
    (Failure.CREDENTIALS, "ExpiredToken", ""),
    (Failure.CREDENTIALS, "InvalidClientTokenId", ""),
    (Failure.CREDENTIALS, "AuthFailure", ""),
    (Failure.DENIED, "AccessDenied", ""),
    (Failure.DENIED, "UnauthorizedOperation", "Encoded authorization failure message: x"),
    (Failure.DENIED, "OperationNotPermitted", "deletion protection is enabled"),
    (Failure.NOT_FOUND, "LoadBalancerNotFound", ""),
    (Failure.NOT_FOUND, "InvalidLaunchTemplateId.NotFound", ""),
    (Failure.NOT_FOUND, "InvalidLaunchTemplateName.NotFoundException", ""),
    (Failure.NOT_FOUND, "NoSuchHostedZone", ""),
    (Failure.NOT_FOUND, "NoSuchChange", ""),
    (Failure.NOT_FOUND, "ParameterNotFound", ""),
    (Failure.NOT_FOUND, "WAFNonexistentItemException", ""),
    (Failure.NOT_FOUND, "ValidationError", "AutoScalingGroup name not found - null"),
    (Failure.NOT_FOUND, "ValidationError", "Scheduled action name not found"),
    (Failure.ALREADY_EXISTS, "AlreadyExists", "AutoScalingGroup by this name already exists"),
    (Failure.ALREADY_EXISTS, "InvalidLaunchTemplateName.AlreadyExistsException", ""),
    (Failure.ALREADY_EXISTS, "DuplicateLoadBalancerName", ""),
    (Failure.ALREADY_EXISTS, "DuplicateTargetGroupName", ""),
    (Failure.ALREADY_EXISTS, "DuplicateListener", ""),
    (Failure.ALREADY_EXISTS, "PriorityInUse", ""),
    (Failure.BUSY, "AlreadyExists", "A group with the name web-1 already exists and is pending delete"),
    (Failure.BUSY, "ScalingActivityInProgress", ""),
    (Failure.BUSY, "PriorRequestNotComplete", ""),
    (Failure.BUSY, "ResourceContention", ""),
    (Failure.IN_USE, "ResourceInUse", ""),
    (Failure.IN_USE, "DependencyViolation", ""),
    (Failure.IN_USE, "InvalidLaunchTemplate.InUse", ""),
    (Failure.CHANGED, "InvalidChangeBatch", "[Tried to create resource record set but it already exists]"),
    (Failure.CHANGED, "InvalidChangeBatch", "[but the values provided do not match the current values]"),
    (Failure.INVALID, "InvalidChangeBatch", "[RRSet with DNS name x. is not permitted in zone y.]"),
    (Failure.NOT_YET, "ValidationError", "You must use a valid fully-formed launch template. ..."),
    (Failure.NOT_YET, "ValidationError", "Invalid IamInstanceProfile: checkout"),
    (Failure.INVALID, "ValidationError", "Min bound, 3, must be less than or equal to max bound, 1"),
    (Failure.INVALID, "InvalidParameterValue", ""),
    (Failure.UNKNOWN, "InternalFailure", ""),
    (Failure.UNKNOWN, "Unavailable", ""),
]


@pytest.mark.parametrize(("failure", "code", "message"), REPLIES, ids=[f"{c}-{f}" for f, c, _ in REPLIES])
def test_a_reply_is_sorted_by_what_follows(failure, code, message):
    assert classify(reply(code, message)) is failure


OTHERS = [
    (Failure.FORBIDDEN, ForbiddenCallError("x")),
    (Failure.DEADLINE, DeadlineError("x")),
    (Failure.CREDENTIALS, WrongAccountError("x")),
    (Failure.ALREADY_EXISTS, ConflictError("x")),
    (Failure.CHANGED, ChangedError("x")),
    (Failure.INVALID, InvalidError("x")),
    (Failure.NOT_YET, RetryLaterError("x")),
    (Failure.CREDENTIALS, boto.NoCredentialsError()),
    (Failure.CREDENTIALS, boto.ProfileNotFound(profile="x")),
    (Failure.UNKNOWN, boto.ReadTimeoutError(endpoint_url="https://x")),
    (Failure.UNKNOWN, boto.EndpointConnectionError(endpoint_url="https://x")),
    (Failure.UNKNOWN, boto.ConnectionClosedError(endpoint_url="https://x")),
    (Failure.UNKNOWN, ResponseParserError("<html>")),
    (Failure.INVALID, boto.ParamValidationError(report="x")),
    (Failure.UNKNOWN, KeyError("x")),
    (Failure.CREDENTIALS, reply("AccessDenied", operation="AssumeRole")),
    (Failure.UNKNOWN, reply("Novel", status=500)),
    (Failure.THROTTLED, reply("Novel", status=429)),
    (Failure.INVALID, reply("Novel", status=400)),
]


@pytest.mark.parametrize(("failure", "exc"), OTHERS, ids=[f"{type(e).__name__}-{f}" for f, e in OTHERS])
def test_an_exception_is_sorted_by_what_follows(failure, exc):
    assert classify(exc) is failure


def test_only_what_concerns_the_whole_target_ends_its_pass():
    assert {f for f in Failure if f in ENDS_TARGET} == {
        Failure.THROTTLED,
        Failure.CREDENTIALS,
        Failure.DEADLINE,
    }


def test_the_code_is_told_apart_from_the_message():
    assert (code_of(reply("Client.Throttling")), code_of(KeyError("x"))) == ("Throttling", "")


BLOB = "c2VjcmV0IHVzZXIgZGF0YQ" * 8

SAID = [
    (reply("AccessDenied", "no"), "DescribeThings: AccessDenied: no"),
    (reply("Odd"), "DescribeThings: Odd"),
    (reply("E", "two\nlines"), "DescribeThings: E: two lines"),
    (reply("E", f"bad user data {BLOB} there"), "DescribeThings: E: bad user data [hidden] there"),
    (
        reply("E", "Value '#!/bin/sh' at 'userData' failed"),
        "DescribeThings: E: the value at 'userData' failed",
    ),
    (
        reply("E", f"Encoded authorization failure message: {BLOB}"),
        "DescribeThings: E: Encoded authorization failure message: [hidden]",
    ),
    (
        reply("E", "see https://x.example/a?X-Amz-Signature=abc now"),
        "DescribeThings: E: see https://x.example/a now",
    ),
    (reply("E", "key ASIAABCDEFGHIJKLMNOP is old"), "DescribeThings: E: key [hidden] is old"),
    (reply("E", "SessionToken=abcdef"), "DescribeThings: E: SessionToken=[hidden]"),
    (reply("E", "https://user:pass@x.example/ said no"), "DescribeThings: E: https://x.example/ said no"),
    (ResponseParserError("b'<html>secret'"), "the reply could not be understood"),
    (
        boto.ReadTimeoutError(endpoint_url="https://x.example/?a=b"),
        'no reply: Read timeout on endpoint URL: "https://x.example/"',
    ),
    (
        boto.ParamValidationError(
            report="Invalid type for parameter LaunchTemplateData.UserData, value: secret, type: <class 'bytes'>"
        ),
        "the request is malformed: LaunchTemplateData.UserData",
    ),
    (
        boto.ParamValidationError(report='Missing required parameter in input: "Name"'),
        "the request is malformed: Name",
    ),
    (boto.ParamValidationError(report="odd"), "the request is malformed: a parameter"),
    (
        ForbiddenCallError("ec2:StopInstances is not on the allow-list"),
        "ec2:StopInstances is not on the allow-list",
    ),
    (ValueError(), "ValueError"),
]


@pytest.mark.parametrize(("exc", "sentence"), SAID, ids=[s[:60] for _, s in SAID])
def test_what_is_said_holds_no_secret(exc, sentence):
    assert say(exc) == sentence


def test_what_is_said_is_short():
    assert len(redacted("word " * 500)) == 300
