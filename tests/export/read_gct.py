"""Read a GCT with cmapPy, write it, read it again; print what was read. Run by the Python that has cmapPy."""

import json
import sys
import warnings
from pathlib import Path

warnings.simplefilter("ignore")
from cmapPy.pandasGEXpress.parse_gct import parse  # noqa: E402
from cmapPy.pandasGEXpress.write_gct import write  # noqa: E402

path, again = Path(sys.argv[1]), Path(sys.argv[2])
first = parse(str(path))
write(first, str(again), data_float_format="%.9g")
second = parse(str(again))
is_same = (
    first.data_df.equals(second.data_df)
    and first.col_metadata_df.equals(second.col_metadata_df)
    and first.row_metadata_df.equals(second.row_metadata_df)
)
values = first.data_df.astype(object).where(first.data_df.notna(), None)
print(
    json.dumps(
        {
            "is_same": is_same,
            "row_ids": list(values.index),
            "sample_ids": list(values.columns),
            "values": values.values.tolist(),
            "column_fields": list(first.col_metadata_df.columns),
            "row_fields": list(first.row_metadata_df.columns),
        }
    )
)
