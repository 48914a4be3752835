"""The Spark Connect server: one warm JVM that writes every Delta table."""

import os
from pathlib import Path
from xml.sax.saxutils import escape

from infra.stack.files import private_folder, write_private
from infra.stack.programs.program import Place, Program, listens

SETTINGS = {
    # Two tries per task: one that meets a dying Python worker need not fail the run.
    "spark.master": "local[2,2]",
    "spark.app.name": "lakehouse",
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.connect.grpc.binding.address": "127.0.0.1",
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.adaptive.enabled": "true",
    "spark.sql.parquet.compression.codec": "zstd",
    # Sized for two cores: the defaults are for clusters and cost seconds per statement.
    "spark.sql.shuffle.partitions": "4",
    "spark.default.parallelism": "2",
    "spark.databricks.delta.snapshotPartitions": "2",
    # VACUUM's listing starts 10,000 tasks otherwise: 62 s instead of 3.5 s.
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "2",
    "spark.ui.retainedJobs": "20",
    "spark.ui.retainedStages": "40",
    "spark.ui.retainedTasks": "500",
    "spark.sql.ui.retainedExecutions": "20",
    "spark.cleaner.periodicGC.interval": "5min",
}
STORE = {
    "fs.s3a.path.style.access": "true",
    "fs.s3a.connection.ssl.enabled": "false",
    "fs.s3a.endpoint.region": "us-east-1",
    "fs.s3a.aws.credentials.provider": "org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider",
    "fs.s3a.fast.upload.buffer": "bytebuffer",
    "fs.s3a.connection.maximum": "64",
    "fs.s3a.attempts.maximum": "5",
    "fs.s3.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
    "fs.AbstractFileSystem.s3.impl": "org.apache.hadoop.fs.s3a.S3A",
}
# Not below warnings: at INFO the Connect server logs whole plans, passwords in a reader's options included.
LOGGING = """\
rootLogger.level = warn
rootLogger.appenderRef.stdout.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{yyyy-MM-dd HH:mm:ss} %p %c{1}: %m%n%ex
"""


def program(place: Place) -> Program:
    """The Spark server; the store's keys are in a Hadoop file, where ``spark.conf`` does not see them."""
    config = place.config
    conf = config.home / "spark" / "conf"
    home = _spark_home(place.python)
    return Program(
        name="spark",
        title="Spark Connect server",
        command=[
            str(home / "bin" / "spark-submit"),
            "--class", "org.apache.spark.sql.connect.service.SparkConnectServer",
            "--name", "lakehouse", "spark-internal",
        ],
        environment={
            "SPARK_HOME": str(home),
            "SPARK_CONF_DIR": str(conf),
            "HADOOP_CONF_DIR": str(conf),
            "PYSPARK_PYTHON": str(place.python),
            "PYSPARK_DRIVER_PYTHON": str(place.python),
            "PYTHONPATH": str(config.repository),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_DAEMON_MEMORY": config.spark_memory,
            "PATH": os.pathsep.join([str(place.java.parent), os.environ.get("PATH", "")]),
            "OMP_NUM_THREADS": "1",
            "MALLOC_ARENA_MAX": "2",
        },
        ports={"spark": config.ports.spark},
        whole_group=False,
        ready=lambda _started: _ready(config.ports.spark, place.credentials.spark),
        prepare=lambda: _write(place, conf),
        hints={
            "OutOfMemoryError": "its heap is too small: raise LAKEHOUSE_MEMORY_SPARK (stack.toml)",
            "Cannot allocate memory": "the machine has no memory left: lower LAKEHOUSE_MEMORY_SPARK",
            "ClassNotFoundException": f"a jar is missing: remove {place.jars} and `make up` fetches it again",
            "UnsupportedClassVersionError": "Java is too old: 17 or later is needed",
            "No space left on device": "the disk is full: make room, then `make up` again",
        },
    )  # fmt: skip


def _spark_home(python: Path) -> Path:
    return next((python.parent.parent / "lib").glob("python3*/site-packages/pyspark"))


def _write(place: Place, conf: Path) -> None:
    config = place.config
    scratch = private_folder(config.home / "spark" / "scratch")
    settings = SETTINGS | {
        "spark.driver.memory": config.spark_memory,
        "spark.driver.extraClassPath": f"{conf}:{place.jars}/*",
        "spark.driver.extraJavaOptions": (
            "-XX:+UseG1GC -XX:MaxMetaspaceSize=512m -XX:ReservedCodeCacheSize=160m "
            "-XX:+ExitOnOutOfMemoryError "
            f"-Djava.io.tmpdir={scratch} -Duser.timezone=UTC"
        ),
        "spark.connect.grpc.binding.port": str(config.ports.spark),
        "spark.connect.authenticate.token": place.credentials.spark,
        "spark.local.dir": str(scratch),
        "spark.sql.warehouse.dir": str(config.home / "spark" / "warehouse"),
    }
    keys = STORE | {
        "fs.s3a.endpoint": f"http://127.0.0.1:{config.ports.s3}",
        "fs.s3a.access.key": place.credentials.s3_access_key,
        "fs.s3a.secret.key": place.credentials.s3_secret_key,
        "hadoop.tmp.dir": str(scratch),
    }
    write_private(conf / "spark-defaults.conf", "".join(f"{name} {value}\n" for name, value in settings.items()))
    write_private(conf / "log4j2.properties", LOGGING)
    write_private(conf / "core-site.xml", _xml(keys))


def _xml(values: dict[str, str]) -> str:
    entries = "".join(
        f"  <property><name>{escape(name)}</name><value>{escape(value)}</value></property>\n" for name, value in values.items()
    )
    return f'<?xml version="1.0"?>\n<configuration>\n{entries}</configuration>\n'


def _ready(port: int, token: str) -> str | None:
    silent = listens(port)
    if silent:
        return silent
    from pyspark.errors import PySparkException
    from pyspark.sql.connect.session import SparkSession

    try:
        session = SparkSession.builder.remote(f"sc://localhost:{port}/;token={token}").create()
        session.sql("SELECT 1").collect()
        session.stop()
    except PySparkException as refused:
        return f"it listens, but SELECT 1 fails: {str(refused).splitlines()[0]}"
    return None
