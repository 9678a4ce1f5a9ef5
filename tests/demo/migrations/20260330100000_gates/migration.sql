-- CreateTable
CREATE TABLE "Gate" (
    "id" INTEGER GENERATED ALWAYS AS IDENTITY,
    "harbourId" INTEGER NOT NULL REFERENCES "Harbour"("id"),
    "side" TEXT NOT NULL CHECK ("side" IN ('inner', 'outer')),
    PRIMARY KEY ("id")
);
