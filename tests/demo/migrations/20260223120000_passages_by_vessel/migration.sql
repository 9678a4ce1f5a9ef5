-- CreateIndex
CREATE INDEX CONCURRENTLY "Passage_vesselId_passedAt_idx" ON "Passage"("vesselId", "passedAt");
