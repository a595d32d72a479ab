"""Every private part of Faust that gridwatch uses, checked against the pinned version.

When an upgrade moves one of them, the test that names it fails, and says what of ours leans on it.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import inspect
import logging
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.consumer import fetcher, subscription_state
from aiokafka.consumer.group_coordinator import GroupCoordinator
from faust.app.base import App
from faust.stores import STORES
from faust.stores import rocksdb as faust_rocksdb
from faust.tables.recovery import Recovery
from faust.transport import consumer as faust_consumer
from faust.transport.drivers import aiokafka as driver
from faust.transport.utils import DefaultSchedulingStrategy
from mode.utils.queues import FlowControlEvent, ThrowableQueue

from gridwatch.settings import load_settings
from gridwatch.streaming.faust import application
from gridwatch.streaming.faust.transport import Consumer, ConsumerThread, Transport
from gridwatch.tables.store import SCHEME, Store


def made() -> Any:
    return application.create_app(load_settings(), name="contract", web_port=1, unpacked={}, topics=())


def parameters(function: object) -> list[str]:
    return list(inspect.signature(function).parameters)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("package", "version"),
    [("faust-streaming", "0.15.3"), ("mode-streaming", "0.7.1"), ("aiokafka", "0.14.0")],
)
def test_the_versions_read_are_the_versions_installed(package: str, version: str) -> None:
    assert importlib.metadata.version(package) == version


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("_new_offset", ["self", "tp"]),
        ("_filter_tps_with_pending_acks", ["self", "topics"]),
        ("_add_gap", ["self", "tp", "offset_from", "offset_to"]),
        ("ack", ["self", "message"]),
        ("seek_to_committed", ["self"]),
        ("on_partitions_revoked", ["self", "revoked"]),
        ("_wait_next_records", ["self", "timeout"]),
        ("_new_consumer_thread", ["self"]),
    ],
)
def test_the_consumer_methods_we_replace_take_what_ours_take(method: str, expected: list[str]) -> None:
    assert parameters(getattr(driver.Consumer, method)) == expected
    assert parameters(getattr(Consumer, method)) == expected


def test_acks_are_stored_where_our_consumer_writes_them() -> None:
    source = inspect.getsource(faust_consumer.Consumer.__init__)
    for attribute in ("_acked", "_unacked_messages", "_waiting_for_ack", "_read_offset"):
        assert f"self.{attribute} =" in source
    assert "_n_acked: int = 0" in inspect.getsource(faust_consumer.Consumer)


def test_a_batch_below_the_read_offset_is_dropped_by_its_offset_which_is_its_last() -> None:
    source = inspect.getsource(faust_consumer.Consumer._drain_messages)
    assert "offset >= r_offset" in source
    assert "set_read_offset(tp, offset)" in source


def test_the_worker_consumer_is_made_in_the_method_we_extend_and_waits_by_this_attribute() -> None:
    assert parameters(driver.AIOKafkaConsumerThread._create_worker_consumer) == ["self", "transport"]
    assert "self._fetch_max_wait_ms = fetch_max_wait_ms" in inspect.getsource(AIOKafkaConsumer.__init__)
    assert "fetch_max_wait_ms=self._fetch_max_wait_ms" in inspect.getsource(AIOKafkaConsumer.start)
    assert issubclass(ConsumerThread, driver.AIOKafkaConsumerThread)


def test_the_transport_makes_its_consumer_from_this_class_attribute() -> None:
    assert driver.Transport.Consumer is driver.Consumer
    assert Transport.Consumer is Consumer
    assert "self.Consumer(" in inspect.getsource(driver.Transport.create_consumer)


def test_the_scheduler_maps_fetched_lists_by_partition() -> None:
    assert parameters(DefaultSchedulingStrategy.map_from_records) == ["records"]


def test_recovery_seeks_through_perform_seek_and_reads_the_persisted_offset_of_the_store() -> None:
    assert "perform_seek" in inspect.getsource(Recovery.on_recovery_completed)
    assert "seek_to_committed" in inspect.getsource(faust_consumer.Consumer.perform_seek)
    # What it does not get it takes from its own memory: the store never answers None.
    assert "if persisted_offset is not None:" in inspect.getsource(Recovery._add)
    assert "apply_changelog_batch(buf)" in inspect.getsource(Recovery._slurp_changelogs.fun)


def test_rebalance_complete_is_sent_once_tables_are_recovered_and_before_records_flow() -> None:
    for method in (Recovery.on_recovery_completed, Recovery._resume_streams):
        source = inspect.getsource(method)
        assert source.index("on_rebalance_complete.send()") < source.index("resume_flow()")
    assert "generation_id=self.app.consumer_generation_id" in inspect.getsource(driver.Consumer._to_message)


def test_a_static_member_leaves_the_group_only_without_its_instance_id() -> None:
    source = inspect.getsource(GroupCoordinator._maybe_leave_group)
    assert "self.generation > 0 and self._group_instance_id is None" in source


def test_metadata_is_refreshed_often_enough_for_a_member_that_was_assigned_nothing() -> None:
    assert "metadata_max_age_ms=conf.consumer_metadata_max_age_ms" in inspect.getsource(
        driver.AIOKafkaConsumerThread._create_worker_consumer
    )
    source = inspect.getsource(GroupCoordinator._handle_metadata_update)
    assert "self._metadata_snapshot != metadata_snapshot" in source
    assert made().conf.consumer_metadata_max_age_ms == 10_000


def test_standby_replicas_are_off() -> None:
    assert made().conf.table_standby_replicas == 0


def test_the_consumer_gets_its_partitions_before_their_recovery() -> None:
    for ours in (driver.Consumer.on_partitions_assigned, Consumer.on_partitions_assigned):
        assert parameters(ours) == ["self", "assigned", "generation_id"]
    source = inspect.getsource(App._on_partitions_assigned)
    assert "tables.on_rebalance" in source


def test_a_stop_that_hangs_is_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()
    monkeypatch.setattr(application, "_STOP_SECONDS", 0.01)
    monkeypatch.setattr(application, "_exit_now", ended.set)

    async def never() -> None:
        await asyncio.get_running_loop().run_in_executor(None, ended.wait, 10)
        raise asyncio.CancelledError

    stopping: Any = SimpleNamespace(before_stop=[never])
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(application.Application.on_stop(stopping))
    assert ended.is_set()


def test_the_store_is_found_by_its_scheme_and_keeps_its_offset_under_fausts_key() -> None:
    assert STORES.by_name(SCHEME) is Store
    assert faust_rocksdb.Store.offset_key == b"__faust\0offset__"
    assert parameters(Store.apply_changelog_batch) == parameters(faust_rocksdb.Store.apply_changelog_batch)
    for private in ("_db_for_partition", "_open_for_partition", "partition_path"):
        assert hasattr(faust_rocksdb.Store, private)


def test_the_application_stops_through_on_stop_and_waits_for_what_is_not_acked() -> None:
    assert "_stop_consumer" in inspect.getsource(App.on_stop)
    assert "_consumer_wait_empty" in inspect.getsource(App._stop_consumer)
    assert "on_first_start" in vars(App)


@pytest.mark.parametrize(
    ("flow_control", "retained"), [(FlowControlEvent, False), (application.FlowControl, True)]
)
def test_a_batch_fetched_between_the_seek_and_the_end_of_a_recovery_is_not_cleared(
    flow_control: type[FlowControlEvent], retained: bool
) -> None:
    # With something to recover, flow is active and the fetcher runs when Faust seeks the sources; it resumes
    # flow once more after that. A fetch that returns in between was lost, and nothing was logged.
    async def scenario() -> bool:
        flow = flow_control()
        flow.resume()
        queue: ThrowableQueue[str] = ThrowableQueue(flow_control=flow, clear_on_resume=True)

        async def perform_seek() -> None:
            queue.put_nowait("the first batch from there")

        async def nothing(*_: object) -> None:
            pass

        consumer = SimpleNamespace(
            assignment=lambda: {("smartmeter_raw", 4)},
            resume_partitions=lambda partitions: None,
            perform_seek=perform_seek,
            resume_flow=lambda: None,
        )
        app = SimpleNamespace(
            consumer=consumer,
            conf=SimpleNamespace(broker_request_timeout=1),
            consumer_generation_id=3,
            on_rebalance_complete=SimpleNamespace(send=nothing),
            flow_control=flow,
            _fetcher=SimpleNamespace(maybe_start=nothing),
            assignor=SimpleNamespace(assigned_standbys=set),
            on_rebalance_end=lambda: None,
        )
        recovery: Any = SimpleNamespace(
            app=app,
            log=logging.getLogger("faust"),
            _set_recovery_ended=lambda: None,
            tables=SimpleNamespace(values=lambda: [], on_actives_ready=noop, on_standbys_ready=noop),
            _is_changelog_tp=lambda tp: False,
            _wait=lambda awaited, timeout: awaited,
            completed=asyncio.Event(),
        )
        recovery.log.dev = recovery.log.debug
        await Recovery.on_recovery_completed(recovery, 3)
        return not queue.empty()

    assert asyncio.run(scenario()) is retained


def noop() -> None:
    """Do nothing."""


def test_flow_that_was_suspended_begins_with_empty_queues() -> None:
    async def scenario() -> bool:
        flow = application.FlowControl()
        queue: ThrowableQueue[str] = ThrowableQueue(flow_control=flow, clear_on_resume=True)
        queue.put_nowait("from before a rebalance")
        flow.resume()
        return queue.empty()

    assert asyncio.run(scenario())


def test_the_application_has_that_flow_control() -> None:
    assert "def flow_control(self)" in inspect.getsource(App)
    assert isinstance(made().flow_control, application.FlowControl)


def test_timers_begin_when_the_first_recovery_has_ended() -> None:
    # Which is why whoever watches over recovery is none.
    source = inspect.getsource(App.on_started)
    assert source.index("wait_for_table_recovery_completed") < source.index("on_started_init_extra_tasks")


def test_the_isolation_of_a_consumer_and_the_state_of_a_partition_are_where_we_read_them() -> None:
    assert "isolation_level=self._isolation_level" in inspect.getsource(AIOKafkaConsumer.start)
    assert parameters(fetcher.Fetcher.seek_to) == ["self", "tp", "offset"]
    assert "self._fetcher.seek_to(partition, offset)" in inspect.getsource(AIOKafkaConsumer.seek)
    assert "self._fetcher.seek_to(tp, offset)" in inspect.getsource(AIOKafkaConsumer.seek_to_committed)
    assert "self._isolation_level" in inspect.getsource(fetcher.Fetcher._proc_offset_request)
    source = inspect.getsource(fetcher.PartitionRecords)
    for private in (
        "_consume_aborted_up_to",
        "_contains_abort_marker",
        "_aborted_producers",
        "_consumer_record",
    ):
        assert private in source

    async def fresh() -> Any:
        return subscription_state.TopicPartitionState(None)

    state = asyncio.run(fresh())
    assert (state.lso, state.has_valid_position, state.paused) == (None, False, False)


def test_a_fetch_is_delivered_only_if_it_is_true() -> None:
    source = inspect.getsource(fetcher.Fetcher.fetched_records)
    assert "records = res_or_error.getall(max_records)" in source
    assert "if not records:" in source
