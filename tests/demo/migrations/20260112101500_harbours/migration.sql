-- CreateTable
CREATE TABLE "Harbour" (
    "id" SERIAL NOT NULL,
    "name" TEXT NOT NULL,
    "depth" DECIMAL(5,2) NOT NULL,

    CONSTRAINT "Harbour_pkey" PRIMARY KEY ("id")
);
