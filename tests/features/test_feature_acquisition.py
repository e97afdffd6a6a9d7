from pydicom import Dataset

from radcurate import tables
from radcurate.features.acquisition import attributes


def test_plain_ct():
    header = Dataset()
    header.Manufacturer, header.ConvolutionKernel, header.KVP, header.Exposure = "Maker", ["B30f", "3"], "120", ""
    found = attributes(header)
    assert (found["manufacturer"], found["kernel"], found["kvp"]) == ("Maker", "B30f\\3", 120.0)
    assert found["exposure"] is None and found["echo_time"] is None and found["tracer"] is None


def test_tracer_of_pet():
    code, drug, header = Dataset(), Dataset(), Dataset()
    code.CodeMeaning = "^18^Fluorine"
    drug.RadionuclideCodeSequence, drug.Radiopharmaceutical, drug.RadionuclideTotalDose = [code], "FDG", "3.7e8"
    header.RadiopharmaceuticalInformationSequence = [drug]
    found = attributes(header)
    assert (found["tracer"], found["radionuclide"], found["injected_dose"]) == ("FDG", "^18^Fluorine", 3.7e8)


def test_enhanced_objects_keep_them_in_functional_groups():
    timing, group, header = Dataset(), Dataset(), Dataset()
    timing.RepetitionTime, timing.FlipAngle = 500.0, 15.0
    group.MRTimingAndRelatedParametersSequence = [timing]
    header.SharedFunctionalGroupsSequence = [group]
    assert attributes(header)["repetition_time"] == 500.0 and attributes(header)["flip_angle"] == 15.0


def test_columns_are_those_of_the_table_and_numbers_that_are_none_are_null():
    header = Dataset()
    header.MagneticFieldStrength = None
    found = attributes(header)
    assert set(found) < {name for name, _ in tables.EXTRACT_ACQUISITION.columns}
    assert found["field_strength"] is None
