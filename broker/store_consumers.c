// The store's table of consumers.
#include "broker/store_parts.h"

int store_put_consumer(struct store *store, const struct store_consumer *consumer,
                       struct tc_err *err)
{
    sqlite3_stmt *statement = store->statements[PUT_CONSUMER];
    bind_text(statement, 1, consumer->name);
    bind_u64(statement, 2, consumer->cursor);
    bind_u64(statement, 3, consumer->start);
    bind_u64(statement, 4, (uint64_t)consumer->seen_wall_ns);
    bind_blob(statement, 5, id_bytes(&consumer->epoch));
    bind_text(statement, 6, consumer->owner);
    bind_blob(statement, 7, consumer->lease);
    bind_text(statement, 8, consumer->filters);
    return store_write_row(store, PUT_CONSUMER, "storing a consumer", err);
}

int store_drop_consumer(struct store *store, tc_str name, struct tc_err *err)
{
    bind_text(store->statements[DROP_CONSUMER], 1, name);
    return store_write_row(store, DROP_CONSUMER, "dropping a consumer", err);
}

static struct store_consumer consumer_of(const struct store *store, sqlite3_stmt *row)
{
    tc_str epoch = column_bytes(row, 4);
    struct store_consumer consumer = {
        .name = column_bytes(row, 0),
        .cursor = (uint64_t)sqlite3_column_int64(row, 1),
        .start = (uint64_t)sqlite3_column_int64(row, 2),
        .seen_wall_ns = sqlite3_column_int64(row, 3),
        .epoch = store->marks.epoch,
        .owner = column_bytes(row, 5),
        .lease = column_bytes(row, 6),
        .filters = column_bytes(row, 7),
    };
    if (epoch.len == sizeof consumer.epoch.bytes)
        memcpy(consumer.epoch.bytes, epoch.ptr, epoch.len);
    return consumer;
}

int store_each_consumer(struct store *store,
                        int (*tell)(void *context, const struct store_consumer *consumer,
                                    struct tc_err *err),
                        void *context, struct tc_err *err)
{
    sqlite3_stmt *row = NULL;
    if (sqlite3_prepare_v2(store->db,
                           "SELECT name, cursor, start, seen, epoch, owner, lease, filters "
                           "FROM consumer ORDER BY name",
                           -1, &row, NULL) != SQLITE_OK)
        return store_refused(store, "reading consumers", err);
    int code = TC_OK, step = SQLITE_DONE;
    while (code == TC_OK && (step = sqlite3_step(row)) == SQLITE_ROW) {
        struct store_consumer consumer = consumer_of(store, row);
        code = tell(context, &consumer, err);
    }
    if (code == TC_OK && step != SQLITE_DONE)
        code = store_refused(store, "reading consumers", err);
    sqlite3_finalize(row);
    return code;
}
