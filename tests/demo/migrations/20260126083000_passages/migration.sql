-- CreateTable
CREATE TABLE "Passage" (
    "id" BIGSERIAL NOT NULL,
    "vesselId" TEXT NOT NULL,
    "level" DECIMAL(5,2) NOT NULL,
    "passedAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "toll" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "Passage_pkey" PRIMARY KEY ("id")
);

-- AddForeignKey
ALTER TABLE "Passage" ADD CONSTRAINT "Passage_vesselId_fkey" FOREIGN KEY ("vesselId") REFERENCES "Vessel"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
