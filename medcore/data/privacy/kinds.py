"""The kinds of identifier: HIPAA's eighteen (45 CFR 164.514(b)(2)) and the Chinese ones."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from medcore.data.findings import Severity
from medcore.data.privacy.numbers import (
    CN_ID,
    is_chinese_id,
    is_us_social_security_number,
    is_vehicle_number,
    passes_luhn,
)
from medcore.i18n import N_


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    """One kind of identifier and how it is recognised.

    ``names`` is matched with a column's name in lower-case words, ``values``
    with whole cells, ``inside`` within free text, each if given; ``proves`` is a check
    digit or another rule a match must pass. ``sentence`` says what was found, and ``named_enough`` means that the name
    alone is evidence, else some values must match as well. ``various`` values, which alone
    could be anything, must stand under such a name, and few of them may be the same.
    """

    code: str
    sentence: str
    severity: Severity = "error"
    names: re.Pattern[str] | None = None
    values: str | None = None
    inside: re.Pattern[str] | None = None
    proves: Callable[[str], bool] | None = None
    named_enough: bool = True
    various: bool = False


def _p(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
_SOMEBODY = r"^(name|names|person|patient|patients|pt|case|who|doctor|physician|surgeon|nurse|医生|医师|签名|名字|病人|患者|人员)( s)?$"
"""Headings under which names of people stand, and other things as well."""
_SURNAME = r"^((de|da|di|du|del|della|der|den|van|von|al|el|bin|ben|la|le|ter|zu)[ '’\-])*\p{L}[\p{L}'’]+([ \-]\p{Lu}[\p{L}'’]*\.?){0,3}$"
"""One word of letters, with what goes before a surname and what may follow it (Miller, VAN DEN BERG, García Márquez)."""

IDENTIFIERS: tuple[Identifier, ...] = (
    Identifier(
        code="name",
        sentence=N_("“{column}” seems to hold names of persons, in {n} cell(s)."),
        names=_p(
            r"^(patient|full|first|last|middle|given|family|maiden|sur|fore|nick|mother s|father s|doctor|physician|next of kin|contact)( s)? ?name$|^(surname|forename)$|姓名|患者名|病人名|联系人|家属"
        ),
        inside=_p(r"\b(mr|mrs|ms|miss)\.? [A-Z][a-z]+|患者[：:]|姓名[：:]"),
    ),
    Identifier(
        code="name",
        sentence=N_("“{column}” seems to hold names of persons, in {n} cell(s)."),
        names=_p(_SOMEBODY),
        values=rf"^([A-Z][a-zA-Z'’\-]+,? +([A-Z]\.? +)?[A-Z][a-zA-Z'’\-]+|[{_SURNAMES}][一-鿿]{{1,2}})$",
        named_enough=False,
    ),
    Identifier(
        code="name",
        sentence=N_("“{column}” seems to hold names of persons, in {n} cell(s)."),
        names=_p(_SOMEBODY),
        values=_SURNAME,
        named_enough=False,
        various=True,
    ),
    Identifier(
        code="national_id",
        sentence=N_("“{column}” seems to hold national identity numbers, in {n} cell(s)."),
        names=_p(r"身份证|证件号|\bnational id|identity (card|no|number)|\bid ?card\b|passport|护照|社保号|社会保障号"),
        values=r"^[1-9][0-9]{5}(18|19|20)[0-9]{2}[0-9]{4}[0-9]{3}[0-9Xx]$",
        inside=CN_ID,
        proves=is_chinese_id,
    ),
    Identifier(
        code="social_security_number",
        sentence=N_("“{column}” seems to hold social security numbers, in {n} cell(s)."),
        names=_p(r"\bssn\b|social security"),
        values=r"^[0-9]{3}-[0-9]{2}-[0-9]{4}$",
        inside=_p(r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])"),
        proves=is_us_social_security_number,
    ),
    Identifier(
        code="phone",
        sentence=N_("“{column}” seems to hold telephone or fax numbers, in {n} cell(s)."),
        names=_p(r"\b(phone|telephone|tel|mobile|cell ?phone|fax)\b( ?(no|nr|number))?$|电话|手机|传真|联系方式"),
        values=r"^(\+?86[ -]?)?1[3-9][0-9]{9}$|^(\+?1[ .-]?)?\(?[2-9][0-9]{2}\)?[ .-][0-9]{3}[ .-][0-9]{4}$|^0[0-9]{2,3}-[0-9]{7,8}$",
        inside=_p(r"(?<!\d)1[3-9]\d{9}(?!\d)|(?<!\d)\(?[2-9]\d{2}\)?[ .-]\d{3}[.-]\d{4}(?!\d)"),
    ),
    Identifier(
        code="email",
        sentence=N_("“{column}” seems to hold e-mail addresses or chat accounts, in {n} cell(s)."),
        names=_p(r"\be ?mail\b|邮箱|电子邮件|微信|\bqq\b|wechat"),
        values=r"^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}$",
        inside=_p(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}"),
    ),
    Identifier(
        code="address",
        sentence=N_("“{column}” seems to hold addresses or postcodes, places smaller than a province, in {n} cell(s)."),
        names=_p(
            r"\b(address|street|zip ?code|zip|postal ?code|post ?code|postcode|village|latitude|longitude)\b|地址|住址|籍贯|户口|户籍|邮编|家庭住|乡镇|街道"
        ),
        values=r"^[0-9]+ [A-Z][a-zA-Z]+.* (St|Street|Ave|Avenue|Rd|Road|Blvd|Lane|Ln|Dr|Drive)\.?(,.*)?$|(省|市|区|县|镇|乡).*(路|街|村|巷|弄|小区).*(号|室|栋|幢|组)",
        inside=_p(
            r"\b\d+ [A-Z][a-z]+ (Street|Avenue|Road|Boulevard|Lane|Drive)\b|(省|市|区|县).{1,12}(路|街|村|小区).{0,8}(号|室|栋)"
        ),
    ),
    Identifier(
        code="medical_record_number",
        sentence=N_("“{column}” seems to hold medical record numbers, in {n} cell(s)."),
        names=_p(
            r"\bmrn\b|medical record|hospital (no|number)$|\bchart (no|number)|住院号|病案号|病历号|门诊号|就诊卡|登记号|床号|检查号"
        ),
    ),
    Identifier(
        code="health_plan_number",
        sentence=N_("“{column}” seems to hold health insurance numbers, in {n} cell(s)."),
        names=_p(
            r"(insurance|health plan|policy|beneficiary|medicare|medicaid|nhs) ?(card)? ?(no|id|number)\b|医保(号|卡|编号)|社保卡|医疗保险号"
        ),
    ),
    Identifier(
        code="account_number",
        sentence=N_("“{column}” seems to hold account or bank card numbers, in {n} cell(s)."),
        names=_p(r"\b(account|bank|iban|credit card|card) ?(no|number|id)?$|银行卡|账号|卡号"),
        values=r"^(62|4|5[1-5])[0-9]{14,17}$",
        proves=passes_luhn,
        named_enough=False,
    ),
    Identifier(
        code="licence_number",
        sentence=N_("“{column}” seems to hold certificate or licence numbers, in {n} cell(s)."),
        names=_p(r"\b(licen[cs]e|certificate) ?(no|nr|number|id)\b|驾驶证|执照|证书号|出生证"),
    ),
    Identifier(
        code="vehicle",
        sentence=N_("“{column}” seems to hold numbers of vehicles, in {n} cell(s)."),
        names=_p(r"\b(vin|licen[cs]e plate|plate (no|number))\b|车牌|车架号"),
        values=r"^[A-HJ-NPR-Z0-9]{17}$",
        proves=is_vehicle_number,
    ),
    Identifier(
        code="plate",
        sentence=N_("“{column}” seems to hold numbers of vehicles, in {n} cell(s)."),
        values=r"^[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z]·?[A-Z0-9]{5,6}$",
    ),
    Identifier(
        code="device",
        sentence=N_("“{column}” seems to hold serial numbers of devices, in {n} cell(s)."),
        names=_p(r"\b(device|serial|implant|pacemaker|imei|mac) ?(id|no|nr|number|address|serial)\b|设备号|序列号"),
        values=r"^([0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}$",
    ),
    Identifier(
        code="url",
        sentence=N_("“{column}” seems to hold web addresses, in {n} cell(s)."),
        names=_p(r"\b(url|website|homepage|web address)\b|网址"),
        values=r"^(https?://|www\.)[^\s]+$",
        inside=_p(r"https?://\S+"),
    ),
    Identifier(
        code="ip_address",
        sentence=N_("“{column}” seems to hold internet (IP) addresses, in {n} cell(s)."),
        names=_p(r"\bip ?(address|addr)\b"),
        values=r"^((25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\.){3}(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])$",
    ),
    Identifier(
        code="biometric",
        sentence=N_("“{column}” seems to hold fingerprints, voice prints or genomes, in {n} cell(s)."),
        names=_p(r"\b(finger ?print|retina ?scan|voice ?print|iris ?scan|face ?id|genome sequence)\b|指纹|声纹|虹膜"),
    ),
    Identifier(
        code="photo",
        sentence=N_("“{column}” seems to hold photographs, in {n} cell(s)."),
        names=_p(r"\b(photo|photograph|portrait|face image|selfie)\b|照片|头像"),
        values=r"^data:image/|\.(jpe?g|png|heic)$",
    ),
    Identifier(
        code="birth_date",
        sentence=N_("“{column}” seems to hold dates of birth, in {n} cell(s)."),
        names=_p(r"\b(dob|birth ?date|date of birth|birthday|born)\b|出生(日期|年月|时间)|生日"),
    ),
)
