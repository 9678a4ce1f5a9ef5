CREATE VIEW "LastPassage" AS
SELECT DISTINCT ON ("vesselId") "vesselId", "level", "passedAt" FROM "Passage" ORDER BY "vesselId", "passedAt" DESC;
