"""MinIO: the object store."""

from infra.stack.files import make_folder
from infra.stack.programs.program import Place, Program, answers

BUCKETS = ("lake", "landing", "mlflow")


def program(place: Place) -> Program:
    """The object store, its buckets made once it answers."""
    config, credentials = place.config, place.credentials
    data = config.home / "minio"
    return Program(
        name="minio",
        title="MinIO (object store)",
        command=[
            str(place.minio), "server", str(data),
            "--address", f"127.0.0.1:{config.ports.s3}",
            "--console-address", f"127.0.0.1:{config.ports.console}",
        ],
        environment={
            "MINIO_ROOT_USER": credentials.s3_access_key,
            "MINIO_ROOT_PASSWORD": credentials.s3_secret_key,
            "MINIO_UPDATE": "off",
            "MINIO_CALLHOME_ENABLE": "off",
            "MINIO_CONFIG_ENV_FILE": "",
            "GOMEMLIMIT": config.minio_memory.replace("MB", "MiB"),
        },
        ports={"s3": config.ports.s3, "console": config.ports.console},
        ready=lambda _started: answers(f"http://127.0.0.1:{config.ports.s3}/minio/health/ready"),
        prepare=lambda: make_folder(data),
        finish=lambda: _make_buckets(place),
        hints={
            "no space left on device": "the disk is full: make room, then `make up` again",
            "Invalid credentials": "its data was made under other secrets: put them back or `make reset`",
            "format.json": "its data folder was written half: `make reset` forgets it",
        },
    )  # fmt: skip


def _make_buckets(place: Place) -> None:
    import boto3
    from botocore.config import Config as ClientConfig

    store = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{place.config.ports.s3}",
        aws_access_key_id=place.credentials.s3_access_key,
        aws_secret_access_key=place.credentials.s3_secret_key,
        region_name="us-east-1",
        config=ClientConfig(s3={"addressing_style": "path"}, connect_timeout=5, retries={"max_attempts": 5}),
    )
    there = {bucket["Name"] for bucket in store.list_buckets()["Buckets"]}
    for bucket in BUCKETS:
        if bucket not in there:
            store.create_bucket(Bucket=bucket)
