-- Two roles: the owner of the tables changes the schema, the runtime role of the processes works with the rows. What the
-- latter may do is said here, in one function, which every migration ends with: a table that is new takes part by itself.
-- +goose Up

-- Gives a role what running processes need, and takes the rest from it. A table that refuses changes by its trigger can be
-- read and added to; so can those named below. It changes nothing where all is as it should be.
-- +goose StatementBegin
CREATE FUNCTION grant_runtime(runtime name) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    home   name := current_schema();
    added  name[] := ARRAY['activity_log', 'callbacks'];
    read   name[] := ARRAY['goose_db_version'];
    wanted text[];
    one    record;
    right_ text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('grant_runtime'));
    IF NOT has_schema_privilege(runtime, home, 'USAGE') THEN
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', home, runtime);
    END IF;
    IF has_schema_privilege(runtime, home, 'CREATE') THEN
        EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC, %I', home, runtime);
    END IF;
    FOR one IN
        SELECT c.oid, c.relname, c.relkind, c.relispartition,
               EXISTS (SELECT FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
                        WHERE t.tgrelid = c.oid AND p.proname = 'refuse_change') AS append_only
          FROM pg_class c WHERE c.relnamespace = home::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
         ORDER BY c.relname
    LOOP
        wanted := CASE
            WHEN one.relispartition THEN '{}' -- reached by their parent only
            WHEN one.relname = ANY (read) OR one.relkind IN ('v', 'm') THEN '{SELECT}'
            WHEN one.append_only OR one.relname = ANY (added) THEN '{SELECT,INSERT}'
            ELSE '{SELECT,INSERT,UPDATE,DELETE}' END;
        FOREACH right_ IN ARRAY '{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[] LOOP
            IF right_ = ANY (wanted) AND NOT has_table_privilege(runtime, one.oid, right_) THEN
                EXECUTE format('GRANT %s ON %I.%I TO %I', right_, home, one.relname, runtime);
            ELSIF NOT right_ = ANY (wanted) AND has_table_privilege(runtime, one.oid, right_) THEN
                EXECUTE format('REVOKE %s ON %I.%I FROM PUBLIC, %I', right_, home, one.relname, runtime);
            END IF;
        END LOOP;
    END LOOP;
    -- The numbers of a table that counts by a default of its own; those of identity columns need nothing.
    FOR one IN
        SELECT c.oid, c.relname FROM pg_class c WHERE c.relnamespace = home::regnamespace AND c.relkind = 'S'
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'i')
    LOOP
        IF NOT has_sequence_privilege(runtime, one.oid, 'USAGE') THEN
            EXECUTE format('GRANT USAGE ON SEQUENCE %I.%I TO %I', home, one.relname, runtime);
        END IF;
    END LOOP;
    FOR one IN
        SELECT p.oid, p.oid::regprocedure AS signature FROM pg_proc p
         WHERE p.pronamespace = home::regnamespace AND p.proname IN ('open_callback_days', 'drop_callback_days')
    LOOP
        IF NOT has_function_privilege(runtime, one.oid, 'EXECUTE') THEN
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', one.signature, runtime);
        END IF;
    END LOOP;
END
$$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION grant_runtime FROM PUBLIC;

-- Days of callbacks come and go with the owner's rights, whoever asks. The path is fixed, or a caller's own tables
-- could stand in for ours.
-- +goose StatementBegin
DO $do$
BEGIN
    EXECUTE format($sql$
CREATE FUNCTION open_callback_days(first_day date, days integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, %1$I, pg_temp AS $$
DECLARE
    day date;
BEGIN
    FOR i IN 0 .. least(days, 31) - 1 LOOP
        day := first_day + i;
        IF to_regclass(format('%%I.%%I', %1$L, 'callbacks_' || to_char(day, 'YYYYMMDD'))) IS NULL THEN
            EXECUTE format('CREATE TABLE %%1$I.%%2$I PARTITION OF %%1$I.callbacks FOR VALUES FROM (%%3$L) TO (%%4$L)',
                           %1$L, 'callbacks_' || to_char(day, 'YYYYMMDD'),
                           to_char(day, 'YYYY-MM-DD') || ' 00:00:00+00', to_char(day + 1, 'YYYY-MM-DD') || ' 00:00:00+00');
        END IF;
    END LOOP;
END
$$ $sql$, current_schema());
    EXECUTE format($sql$
CREATE FUNCTION drop_callback_days(oldest timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, %1$I, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    one record;
BEGIN
    oldest := least(oldest, now() - interval '1 day'); -- the last day stays, whoever asks
    -- Before the days: with a day goes the lock that everybody waits for who writes down a call.
    DELETE FROM callbacks_rest WHERE at < oldest;
    FOR one IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = %2$L::regclass AND c.relname ~ '^callbacks_[0-9]{8}$'
           AND to_date(right(c.relname, 8), 'YYYYMMDD') + 1 < oldest::timestamptz
    LOOP
        EXECUTE format('DROP TABLE %%I.%%I', %1$L, one.relname);
    END LOOP;
END
$$ $sql$, current_schema(), format('%I.callbacks', current_schema()));
END
$do$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION open_callback_days, drop_callback_days FROM PUBLIC;

-- +goose Down
DROP FUNCTION drop_callback_days, open_callback_days, grant_runtime;
