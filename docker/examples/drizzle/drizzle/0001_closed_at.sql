ALTER TABLE "tickets" ADD COLUMN "closed_at" timestamp with time zone;
