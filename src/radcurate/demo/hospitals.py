"""Three invented hospitals: scanners, looks, habits of their export."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from radcurate.demo.people import Person, Scanner
from radcurate.demo.scanner import Look


@dataclass(frozen=True)
class Hospital:
    """charset: value of SpecificCharacterSet, empty where the hospital writes none; codec: Python's name for it.

    head and chest: (planes, rows = columns) and (plane, row = column) spacing in mm; folder: how paths are made, with
    the fields surname, forename, born, pid, day, modality, accession, number, sop.
    """

    code: str
    name: str
    address: str
    department: str
    ae_title: str
    charset: str
    codec: str
    syntax: UID
    issuer: str
    scanners: dict[str, Scanner]
    looks: dict[str, Look]
    head: tuple[tuple[int, int], tuple[float, float]]
    chest: tuple[tuple[int, int], tuple[float, float]]
    physicians: tuple[str, ...]
    operators: tuple[str, ...]
    folder: str
    street: str
    phone: str
    id_form: str

    def path(self, person: Person, modality: str, day: date, accession: str, number: int, sop: str, se: int) -> str:
        """Path of an instance below the export folder."""
        return self.folder.format(
            surname=person.surname,
            forename=person.forename,
            born=f"{person.birth_date:%Y%m%d}",
            pid=person.patient_id.replace("/", "_"),
            day=f"{day:%Y%m%d}",
            modality=modality,
            accession=accession,
            number=number,
            sop=sop,
            se=se,
        )


FALKENRIED = Hospital(
    code="A",
    name="Universitätsklinikum Falkenried",
    address="Am Königsgraben 14, 99812 Falkenried",
    department="Institut für Neuroradiologie Haus 7",
    ae_title="FALKENRIED_PACS",
    charset="ISO_IR 100",
    codec="latin-1",
    syntax=ExplicitVRLittleEndian,
    issuer="",
    scanners={
        "CT": Scanner("SIEMENS", "SOMATOM Definition AS+", "FKCT7A", "66214-FK", "syngo CT 2012B", "H30s", 120, 0),
        "MR": Scanner("SIEMENS", "MAGNETOM Aera", "FKMR2B", "141733-FK", "syngo MR E11", "", 0, 1.5),
        "PT": Scanner("SIEMENS", "Biograph64_mCT", "FKPET1", "11207-FK", "VG60A", "XYZ Gauss5.00", 0, 0),
    },
    looks={"CT": Look(9, 0.7, 1.2), "MR": Look(0.035, 0, 1.2, 0.9, 0.18), "PT": Look(0.16, 1.0, 3.0)},
    head=((80, 128), (3.0, 2.0)),
    chest=((36, 128), (5.0, 2.9)),
    physicians=("Drosselbart^Winfried^^Prof. Dr.", "Kesselflick^Irmgard^^Dr.", "Pfefferling^Jürgen^^Dr."),
    operators=("Tausendschön^Birte", "Nachtigall-Ruß^Sven"),
    folder="Falkenried/{surname}_{forename}_{born}/{day} {modality}/SER{se:02d}/IM{number:04d}",
    street="Nelkenstieg {n}, 99812 Falkenried",
    phone="+49 36999 {n}",
    id_form="FK{n:08d}",
)
BRANNOC = Hospital(
    code="B",
    name="St. Brannoc's General Hospital",
    address="1 Hollowell Parade, Brannocstow BW4 7QZ",
    department="Oncology Imaging Pavilion",
    ae_title="BRANNOC_ARCHIVE",
    charset="",
    codec="ascii",
    syntax=ExplicitVRLittleEndian,
    issuer="BRANNOCTRUST",
    scanners={
        "CT": Scanner("GE MEDICAL SYSTEMS", "Revolution CT", "brnct04", "BRN0097CT", "gmp_vct.42", "STANDARD", 120, 0),
        "MR": Scanner("GE MEDICAL SYSTEMS", "SIGNA Artist", "brnmr11", "BRN0311MR", "DV26.0_R03", "", 0, 1.5),
        "PT": Scanner("GE MEDICAL SYSTEMS", "Discovery MI", "brnpt02", "BRN0002PT", "57.15", "VPFX-S", 0, 0),
    },
    looks={"CT": Look(13, 0.45, 1.0), "MR": Look(0.05, 0, 1.4, 2.6, 0.28), "PT": Look(0.12, 1.3, 3.6)},
    head=((75, 128), (3.2, 1.95)),
    chest=((44, 120), (4.0, 3.1)),
    physicians=("Gravesend-Mott^Lionel^^Dr", "Ashgrove^Philippa^^Dr", "Tumblety^Hugh^^Mr"),
    operators=("Larkrise^Josie", "Bickerstaffe^Owen"),
    folder="brannoc_export/{pid}/{modality}_{accession}_S{se}/{sop}.dcm",
    street="{n} Quince Row, Brannocstow BW4 2LX",
    phone="01632 {n}",
    id_form="BRN-{n:06d}/7",
)
ALDEGONDE = Hospital(
    code="C",
    name="Hôpital Sainte-Aldegonde",
    address="27 quai des Tisserands, 59997 Valmarne",
    department="Médecine nucléaire, pavillon Récollets",
    ae_title="ALDEGONDE_XA",
    charset="ISO_IR 192",
    codec="utf-8",
    syntax=ImplicitVRLittleEndian,
    issuer="",
    scanners={
        "CT": Scanner("Philips", "iCT 256", "SALDCT3", "SA-10333", "4.1.6", "UB", 100, 0),
        "MR": Scanner("Philips Medical Systems", "Ingenia Ambition", "SALDRM1", "SA-45218", "5.7.1", "", 0, 3.0),
        "PT": Scanner("Philips", "Vereos PET/CT", "SALDTEP", "SA-20017", "PETView 2.0", "OP-OSEM", 0, 0),
    },
    looks={"CT": Look(17, 0.9, 1.5), "MR": Look(0.028, 0, 1.1, 1.6, 0.35), "PT": Look(0.2, 0.8, 2.6)},
    head=((69, 120), (3.5, 2.1)),
    chest=((36, 112), (4.8, 3.3)),
    physicians=("Brindejonc^Thérèse^^Dr", "Malaussène-Roy^Étienne^^Pr", "Quenouille^Anatole^^Dr"),
    operators=("Passereau^Maëlys", "Grandchamp^Loïc"),
    folder="Ste_Aldegonde/PAT_{surname}/ST_{day}/SE{se:05d}/IM{number:05d}.IMA",
    street="{n} rue des Grives, 59997 Valmarne",
    phone="+33 3 99 {n}",
    id_form="SA.{n:07d}",
)
HOSPITALS = {hospital.code: hospital for hospital in (FALKENRIED, BRANNOC, ALDEGONDE)}
