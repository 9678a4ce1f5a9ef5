INSERT INTO "Harbour" ("name", "depth") VALUES ('Eastgate', 7.5), ('St. Mary''s; inner basin', 4.2);
INSERT INTO "User" ("id", "email", "role") VALUES ('u1', 'keeper@example.org', 'KEEPER');
INSERT INTO "Vessel" ("id", "name", "draught", "skipperId", "harbourId") VALUES ('v1', 'Curlew', 1.8, 'u1', 1);
INSERT INTO "Passage" ("vesselId", "level", "toll") SELECT 'v1', 3.0 + n % 10 / 10.0, n % 7 FROM generate_series(1, 5000) AS n;
