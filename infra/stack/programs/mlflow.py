"""MLflow: the book of experiments and models, in Postgres, with artefacts in the object store."""

from infra.stack.files import make_folder
from infra.stack.programs.postgres import url
from infra.stack.programs.program import Place, Program, answers


def program(place: Place) -> Program:
    """The tracking server, without the job runners that would cost it 1.8 GB."""
    config, credentials = place.config, place.credentials
    folder = config.home / "mlflow"
    address = f"http://127.0.0.1:{config.ports.mlflow}"
    return Program(
        name="mlflow",
        title="MLflow (experiments, models)",
        command=[
            str(place.python), "-m", "mlflow", "server",
            "--host", "127.0.0.1", "--port", str(config.ports.mlflow), "--workers", "1",
            "--artifacts-destination", "s3://mlflow",
        ],
        environment={
            "MLFLOW_BACKEND_STORE_URI": url(config, "mlflow", credentials.mlflow, "mlflow"),
            "MLFLOW_S3_ENDPOINT_URL": f"http://127.0.0.1:{config.ports.s3}",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "AWS_ACCESS_KEY_ID": credentials.s3_access_key,
            "AWS_SECRET_ACCESS_KEY": credentials.s3_secret_key,
            "AWS_DEFAULT_REGION": "us-east-1",
            "DO_NOT_TRACK": "true",
        },
        ports={"mlflow": config.ports.mlflow},
        ready=lambda _started: answers(f"{address}/health"),
        prepare=lambda: make_folder(folder),
        hints={
            "out-of-date database": "its database was made by another version: `make reset` forgets it",
            "Can't locate revision": "its database was made by a newer version: `make reset` forgets it",
            "password authentication failed": "its role has another password: `make up` sets it again",
        },
    )  # fmt: skip
