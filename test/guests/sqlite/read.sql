-- What a second process finds in the file.
SELECT count(*), sum(cents), sum(length(note)), max(day) FROM orders;
SELECT customer, group_concat(id) FROM (SELECT customer, id FROM orders WHERE customer IN (7, 8)
                                        ORDER BY customer, day LIMIT 20) GROUP BY customer;
EXPLAIN QUERY PLAN SELECT * FROM orders WHERE customer = 9 AND day > '2025-06-01';
PRAGMA integrity_check;
PRAGMA page_count;
