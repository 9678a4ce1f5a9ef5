-- tidelock: transaction=off
CREATE INDEX CONCURRENTLY IF NOT EXISTS "Passage_level_idx" ON "Passage"("level");
CREATE INDEX CONCURRENTLY IF NOT EXISTS "Vessel_harbourId_idx" ON "Vessel"("harbourId");
