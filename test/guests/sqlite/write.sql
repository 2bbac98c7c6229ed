-- A shop's year: schema, bulk load in a transaction, indexes, triggers, and questions to them.
PRAGMA page_size = 4096;
SELECT sqlite_version();
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, city TEXT NOT NULL);
CREATE TABLE orders (
  id INTEGER PRIMARY KEY,
  customer INTEGER NOT NULL REFERENCES customers (id),
  day TEXT NOT NULL CHECK (day GLOB '20[0-9][0-9]-*'),
  cents INTEGER NOT NULL,
  note BLOB
);
CREATE TABLE audit (what TEXT, orders INTEGER);
CREATE TRIGGER count_orders AFTER DELETE ON orders BEGIN
  INSERT INTO audit VALUES ('deleted ' || old.id, (SELECT count(*) FROM orders));
END;

BEGIN;
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
INSERT INTO customers
SELECT i, printf('customer %03d', i),
       CASE i % 4 WHEN 0 THEN 'Bergen' WHEN 1 THEN 'Porto' WHEN 2 THEN 'Gdansk' ELSE 'Galway' END
FROM n;
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40000)
INSERT INTO orders
SELECT i, 1 + (i * 7919) % 500, date('2025-01-01', (i % 365) || ' days'), (i * 104729) % 100000,
       CASE WHEN i % 100 = 0 THEN zeroblob(i % 5000) END
FROM n;
COMMIT;
CREATE INDEX orders_by_customer ON orders (customer, day);

SELECT city, count(*), sum(cents), round(avg(cents), 3)
FROM orders JOIN customers ON customers.id = customer
GROUP BY city ORDER BY city;
SELECT month, cents, sum(cents) OVER (ORDER BY month)
FROM (SELECT substr(day, 1, 7) AS month, sum(cents) AS cents FROM orders GROUP BY 1);
SELECT name, cents, rank() OVER (ORDER BY cents DESC)
FROM (SELECT name, sum(cents) AS cents FROM orders JOIN customers ON customers.id = customer
      GROUP BY name ORDER BY cents DESC, name LIMIT 5);

BEGIN;
DELETE FROM orders WHERE customer = 7;
SELECT count(*) FROM orders;
ROLLBACK;
SELECT count(*) FROM orders;
DELETE FROM orders WHERE id IN (1, 2, 3);
SELECT * FROM audit;
UPDATE orders SET note = randomblob(0) WHERE id = 100;
SELECT json_group_array(json_object('id', id, 'city', city)) FROM customers WHERE id <= 3;
SELECT round(sqrt(2.0) * pow(1.1, 10), 9), 0.1 + 0.2, 1e300 * 1e10, 9223372036854775807 + 1;
VACUUM;
PRAGMA integrity_check;
