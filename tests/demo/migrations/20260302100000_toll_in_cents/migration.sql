-- AlterTable
ALTER TABLE "Passage" ADD COLUMN "tollCents" INTEGER;
UPDATE "Passage" SET "tollCents" = "toll" * 100;
ALTER TABLE "Passage" ALTER COLUMN "tollCents" SET NOT NULL;
