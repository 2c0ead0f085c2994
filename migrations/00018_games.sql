-- +goose Up
-- Names that only a machine's own files have stand for the zone itself; what localtime meant, nobody knows.
UPDATE allowances SET zone = CASE WHEN zone ~ '^(posix|right)/' THEN regexp_replace(zone, '^(posix|right)/', '') ELSE 'UTC' END
 WHERE zone ~ '^(posix|right)/' OR zone IN ('localtime', 'posixrules');

-- +goose Down
SELECT 1;
