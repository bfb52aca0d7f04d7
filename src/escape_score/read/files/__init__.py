"""File containers: compression, archives, workbooks and matrices held in memory."""
