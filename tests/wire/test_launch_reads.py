"""Why launches fail, read over the wire from scaling activities, in AWS's own words; and only where one asks."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from reconciler.core.facts import Unread
from reconciler.core.ids import ResourceName, TargetName
from reconciler.daemon.observe import look
from reconciler.gateway.session import Aws, Place, open_aws
from reconciler.kinds.activity import aws as activities
from reconciler.kinds.activity.live import LaunchFailure
from reconciler.kinds.activity.want import Launches
from reconciler.kinds.activity.words import REASONS, told
from reconciler.kinds.register import Needs, World
from tests.emulated import ACCOUNT, REGION, Emulated
from tests.emulator.scene import BOOT, Scene, build
from tests.emulator.test_instances import hook
from tests.product import Product, environment
from tests.wire.company import NEW_AMI, files

pytestmark = pytest.mark.wire

FAILED = " Launching EC2 instance failed."
ON_DEMAND, SPOT = (f"Could not launch {x} Instances. " for x in ("On-Demand", "Spot"))
CAPACITY = (
    "We currently do not have sufficient t3.micro capacity in the Availability Zone you requested (eu-west-1a)."
    " Our system will be working on provisioning additional capacity."
)
VCPU = (
    "You have requested more vCPU capacity than your current vCPU limit of 4 allows for the instance bucket"
    " that the specified instance type belongs to. Please visit http://aws.amazon.com/contact-us/ec2-request"
    " to request an adjustment to this limit."
)
PROFILE = "Value (app) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name."
TEXTS = [
    (f"{ON_DEMAND}InsufficientInstanceCapacity - {CAPACITY}", "capacity"),
    (CAPACITY, "capacity"),
    ("There is no Spot capacity available that matches your request.", "capacity"),
    (
        f"{SPOT}UnfulfillableCapacity - Unable to fulfill capacity due to your request configuration.",
        "capacity",
    ),
    (
        "The requested reservation does not have sufficient compatible and available capacity for this request.",
        "capacity",
    ),
    ("Your Capacity Block reservation cr-1 is not active yet.", "capacity"),
    (f"{ON_DEMAND}VcpuLimitExceeded - {VCPU}", "quota"),
    (VCPU, "quota"),
    (
        "You have requested more instances (2) than your current instance limit of 1 allows for the type.",
        "quota",
    ),
    ("20 instance(s) are already running.", "quota"),
    (f"{SPOT}MaxSpotInstanceCountExceeded - Max spot instance count exceeded.", "quota"),
    ("You've reached your quota for maximum Fleet Requests for this account.", "quota"),
    (PROFILE, "profile"),
    ("Invalid IamInstanceProfile: app", "profile"),
    ("The image id '[ami-1]' does not exist.", "image"),
    (f"{ON_DEMAND}InvalidAMIID.NotFound - The image id '[ami-1]' does not exist.", "image"),
    (f"{ON_DEMAND}InvalidAMIID.Unavailable - The image ID 'ami-1' is no longer available.", "image"),
    (f"{ON_DEMAND}AuthFailure - Not authorized for images: [ami-1].", "image"),
    ("The AMI ID ami-1 does not exist.", "image"),
    ("AMI 'ami-1' is disabled, and cannot be run.", "image"),
    ("AMI ami-1 is pending, and cannot be run.", "image-pending"),
    (
        "The architecture 'arm64' of the instance type does not match the architecture 'x86_64' of it.",
        "architecture",
    ),
    ("The security group web does not exist.", "security-group"),
    (f"{ON_DEMAND}InvalidGroup.NotFound - The security group 'sg-1' does not exist.", "security-group"),
    ("The key pair 'ops' does not exist.", "key-pair"),
    (f"{ON_DEMAND}InvalidKeyPair.NotFound - The key pair 'ops' does not exist.", "key-pair"),
    (f"{ON_DEMAND}InvalidSubnetID.NotFound - The subnet ID 'subnet-1' does not exist.", "subnet"),
    (
        "There are not enough free addresses in subnet 'subnet-1' to satisfy the requested number of instances.",
        "subnet-full",
    ),
    ("Invalid device name upload.", "device"),
    ("Value (disk) for parameter virtualName is invalid.", "device"),
    ("EBS block device mappings not supported for instance-store AMIs.", "device"),
    (
        "Your requested instance type (t9.micro) is not supported in your requested Availability Zone (a).",
        "type",
    ),
    ("The requested configuration is currently not supported. Please check the documentation.", "type"),
    ("Placement groups may not be used with instances of type 't3.micro'.", "type"),
    ("Client.InternalError: Client error on launch.", "key"),
    ("Authentication Failure.", "unknown"),
    (f"{ON_DEMAND}InvalidParameterCombination - The instance type is not eligible for Free Tier.", "unknown"),
]
FINAL = {"image", "architecture", "security-group", "key-pair", "subnet", "device"}


@pytest.fixture
def scene(server: Emulated) -> Scene:
    server.control.reset()
    server.control.set_speed(0)
    return build(server)


@pytest.fixture
def product_aws(scene: Scene) -> Iterator[Aws]:
    """A connection that can't write, as plans have it."""
    place = Place(target="prod", account=ACCOUNT, region=REGION)
    with environment({**scene.aws.env(), "AWS_SDK_UA_APP_ID": "plan"}), open_aws(place, writes=False) as aws:
        aws.begin()
        yield aws


def failing(scene: Scene, message: str) -> None:
    scene.aws.control.knob("launch-failure", pattern="web", message=message)


def mended(scene: Scene) -> None:
    scene.aws.control.knob("launch-failure", pattern="web", on=False)


def read(
    aws: Aws, scene: Scene, born: datetime | None = None, name: str = "web"
) -> tuple[LaunchFailure, ...]:
    since = born or scene.aws.control.now() - timedelta(days=1)
    return activities.read(aws, frozenset({Launches(group=ResourceName(name), born=since)}))


@pytest.mark.parametrize(("message", "code"), TEXTS, ids=[f"{n} {code}" for n, (_, code) in enumerate(TEXTS)])
def test_each_text_is_one_fact_with_what_it_means(
    scene: Scene, product_aws: Aws, message: str, code: str
) -> None:
    failing(scene, f"{message}{FAILED}")
    start = scene.aws.control.now()
    scene.create(desired=2)
    (found,) = read(product_aws, scene)
    assert (found.group, found.code, found.since) == ("web", code, start)
    assert found.final is (code in FINAL)
    assert found.why
    assert found.why in message
    assert "Could not launch" not in found.why
    assert product_aws.counts == Counter({"autoscaling:DescribeScalingActivities": 1})


def test_every_reason_has_a_text_here() -> None:
    assert {r.code for r in REASONS} - {"hook"} == {code for _, code in TEXTS} - {"unknown"}


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (
            f"{ON_DEMAND}InsufficientInstanceCapacity - {CAPACITY}{FAILED}",
            f"not enough capacity ({CAPACITY.partition('. ')[0]})",
        ),
        (
            f"{PROFILE}{FAILED}",
            "the instance profile does not exist (Value (app) for parameter iamInstanceProfile.name is invalid)",
        ),
        (f"Something new.{FAILED}", "Something new"),
        (f"{'x' * 200}.{FAILED}", "x" * 159 + "…"),
    ],
    ids=["capacity", "profile", "unknown", "long"],
)
def test_a_failure_is_told_in_one_line(scene: Scene, product_aws: Aws, message: str, words: str) -> None:
    failing(scene, message)
    scene.create(desired=1)
    (found,) = read(product_aws, scene)
    assert told(found) == f"launches fail since {scene.aws.control.now():%H:%M} UTC: {words}"


def test_a_profile_is_missing_for_good_only_once_the_launch_failed_again_after_two_minutes(
    scene: Scene, product_aws: Aws
) -> None:
    failing(scene, f"{PROFILE}{FAILED}")
    start = scene.aws.control.now()
    scene.create(desired=1)
    seen = []
    for _ in range(4):
        (found,) = read(product_aws, scene)
        assert found.since == start
        seen.append(found.final)
        scene.wait(timedelta(minutes=1))
    assert seen == [False, False, False, True]


def test_a_launch_that_gives_an_instance_ends_the_failure_before_it_boots(
    scene: Scene, product_aws: Aws
) -> None:
    failing(scene, CAPACITY)
    scene.create(desired=1)
    mended(scene)
    assert read(product_aws, scene)
    scene.wait(timedelta(minutes=1))
    assert scene.states() == ["Pending"]
    assert read(product_aws, scene) == ()


def test_what_fails_after_a_good_launch_is_told_from_then(scene: Scene, product_aws: Aws) -> None:
    scene.create(desired=1)
    scene.wait(BOOT)
    failing(scene, CAPACITY)
    start = scene.aws.control.now()
    scene.resize(2)
    scene.wait(timedelta(minutes=3))
    (found,) = read(product_aws, scene)
    assert found.since == start


def test_what_failed_before_the_birth_that_a_tag_names_is_another_group_s(
    scene: Scene, product_aws: Aws
) -> None:
    failing(scene, CAPACITY)
    scene.create(desired=1)
    later = scene.aws.control.now() + timedelta(seconds=1)
    assert read(product_aws, scene, born=later) == ()


def test_reasons_that_change_are_told_apart_and_what_is_final_stands_first(
    scene: Scene, product_aws: Aws
) -> None:
    failing(scene, "The key pair 'ops' does not exist.")
    scene.create(desired=1)
    failing(scene, CAPACITY)
    scene.wait(timedelta(minutes=1))
    found = read(product_aws, scene)
    assert [(f.code, f.final) for f in found] == [("key-pair", True), ("capacity", False)]


def test_a_hook_that_abandons_each_launch_is_told_while_the_next_one_boots(
    scene: Scene, product_aws: Aws
) -> None:
    scene.create(desired=1, LifecycleHookSpecificationList=hook("LAUNCHING", "ABANDON", 60))
    scene.wait(BOOT + timedelta(seconds=61))
    assert "Pending" in scene.states()
    (found,) = read(product_aws, scene)
    assert (found.code, found.final) == ("hook", False)
    assert "its launch hook abandoned it" in told(found)


def test_an_instance_that_ends_for_another_reason_is_no_failed_launch(scene: Scene, product_aws: Aws) -> None:
    scene.create(desired=2)
    scene.resize(0)
    scene.wait(timedelta(minutes=5))
    assert read(product_aws, scene) == ()


def test_what_may_not_be_read_is_unread(scene: Scene, product_aws: Aws) -> None:
    scene.create(desired=1)
    fault = {"code": "AccessDenied", "message": "no", "status": 403, "times": None}
    scene.aws.control.fault("error", service="autoscaling", operation="DescribeScalingActivities", **fault)
    now = scene.aws.control.now()
    asked = Needs(launches=frozenset({Launches(group=ResourceName("web"), born=now)}))
    world = look(product_aws, World(target=TargetName("prod"), as_of=now), asked)
    assert world.launches == Unread(what="launches", why="DescribeScalingActivities: AccessDenied: no")


def asked(product: Product) -> int:
    found = [c for c in product.aws.control.calls() if c["operation"] == "DescribeScalingActivities"]
    return len(found)


def test_only_a_rollout_that_is_short_of_instances_is_asked_for_its_launches(product: Product) -> None:
    product.commit(files(""))
    product.settle()
    first = asked(product)
    assert first, "the first birth waits for instances"
    product.settle()
    assert asked(product) == first, "at rest nobody asks"
    product.commit(files("", NEW_AMI))
    product.aws.control.knob("launch-failure", pattern="web-*")
    made = product.converge(until=lambda p: bool(p.look.seen and p.look.seen.world.launches))
    assert made[-1].look.seen
    (found,) = made[-1].look.seen.world.launches
    assert (found.code, found.final) == ("capacity", False)
    product.aws.control.knob("launch-failure", pattern="web-*", on=False)
    product.settle()
    rolled = asked(product)
    product.settle()
    assert asked(product) == rolled
