-- CreateTable
CREATE TABLE "Vessel" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "draught" DECIMAL(5,2) NOT NULL,
    "skipperId" TEXT NOT NULL,
    "harbourId" INTEGER,

    CONSTRAINT "Vessel_pkey" PRIMARY KEY ("id")
);

-- AddForeignKey
ALTER TABLE "Vessel" ADD CONSTRAINT "Vessel_skipperId_fkey" FOREIGN KEY ("skipperId") REFERENCES "User"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Vessel" ADD CONSTRAINT "Vessel_harbourId_fkey" FOREIGN KEY ("harbourId") REFERENCES "Harbour"("id") ON DELETE SET NULL ON UPDATE CASCADE;
