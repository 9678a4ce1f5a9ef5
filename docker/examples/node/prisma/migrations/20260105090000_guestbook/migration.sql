-- CreateTable
CREATE TABLE "Visit" (
    "id" SERIAL NOT NULL,
    "guest" TEXT NOT NULL,

    CONSTRAINT "Visit_pkey" PRIMARY KEY ("id")
);
