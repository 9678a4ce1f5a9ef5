ALTER TABLE "Passage" ADD CONSTRAINT "Passage_level_positive" CHECK ("level" > 0) NOT VALID;
ALTER TABLE "Passage" VALIDATE CONSTRAINT "Passage_level_positive";
