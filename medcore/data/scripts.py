"""Traditional and simplified Chinese: what is recognised by its word is recognised in both scripts."""

from __future__ import annotations

from collections.abc import Iterable

_PAIRS = (
    "業业嚴严個个臨临喬乔鄉乡書书亞亚東东雲云產产優优會会傳传體体來来準准凍冻況况單单盧卢歷历曆历釐厘縣县參参發发髮发號号後后呂吕吳吴員员圍围園园壞坏備备復复複复頭头孫孙寧宁對对爾尔屬属歲岁師师幾几廣广庫库應应開开異异張张彈弹強强歸归錄录"
    "態态總总惡恶癒愈戶户執执護护報报據据數数斷断無无舊旧時时顯显晉晋暫暂術术機机雜杂權权條条楊杨極极構构標标棟栋樣样橋桥檢检畢毕氣气匯汇湯汤溝沟沒没滬沪漿浆測测塗涂淚泪濕湿潰溃點点熱热愛爱狀状現现環环瓊琼電电畫画療疗瘡疮癱瘫碼码確确離离"
    "種种稱称積积穩稳筆笔簽签籤签篩筛類类粵粤糧粮約约級级紀纪納纳紋纹線线組组終终經经結结給给絕绝編编網网羅罗聯联職职膚肤脅胁脈脉臟脏蘇苏範范藥药蔣蒋慮虑蝕蚀補补計计認认記记講讲許许設设訪访證证評评識识診诊試试話话詢询詳详語语誤误說说請请"
    "謝谢譚谭賬账帳账貫贯貴贵費费賀贺賈贾資资賴赖贛赣車车轉转輕轻輸输遼辽達达過过遷迁遠远連连進进適适選选遺遗鄧邓郵邮鄒邹鄭郑採采釋释裡里鑒鉴鐘钟鍾钟錢钱銀银錯错鎮镇長长門门間间閩闽閻阎陽阳陰阴陣阵陸陆陳陈險险隨随難难靜静韓韩項项顧顾預预"
    "頸颈頻频題题驗验馬马駛驶駕驾魚鱼魯鲁黃黄齡龄龍龙龔龚別别刪删劑剂動动區区醫医馮冯衛卫壓压傷伤價价億亿兒儿內内兩两創创劃划務务勞劳協协卻却喪丧國国圖图場场壽寿夢梦婦妇嬰婴學学實实審审寬宽導导將将層层島岛幣币幫帮廠厂彙汇徑径從从徵征恆恒"
    "悶闷憂忧憶忆懷怀戰战擇择擔担損损換换擴扩攝摄敗败敵敌晝昼曬晒樂乐樓楼歡欢殘残殼壳決决沖冲淺浅滿满漸渐濟济災灾營营爐炉牆墙獨独獲获瘋疯癢痒盡尽監监眾众矯矫礙碍禮礼穀谷窮穷競竞籃篮紅红紐纽純纯紙纸細细紳绅統统絲丝綠绿維维緊紧緩缓縮缩績绩"
    "繼继續续纖纤義义習习聖圣聲声聽听肅肃脫脱腎肾腦脑腫肿膽胆臉脸興兴艱艰萬万葉叶處处虛虚衝冲製制襲袭視视覺觉觀观觸触訊讯訓训託托訴诉該该課课調调諾诺謹谨變变讓让豐丰貝贝負负財财責责貧贫購购貨货質质贊赞趙赵躍跃軟软較较載载輔辅轄辖農农遲迟"
    "醬酱鈉钠鈣钙鉀钾鎂镁鐵铁鋅锌銅铜鉛铅鋰锂閉闭關关階阶際际隱隐雙双雞鸡霧雾響响頂顶順顺須须領领頰颊顆颗額额風风飛飞飯饭飲饮養养餘余館馆驚惊髒脏鬆松鬥斗鹼碱黨党齊齐齒齿"
)
"""A traditional character and its simplified form, turn by turn: those of clinical tables."""
_SIMPLIFIED = {ord(_PAIRS[i]): _PAIRS[i + 1] for i in range(0, len(_PAIRS), 2)}
_TRADITIONAL = {ord(simple): chr(full) for full, simple in reversed(_SIMPLIFIED.items())}


def simplified(text: str) -> str:
    """Write a text in simplified characters.

    >>> simplified("性別"), simplified("陰性"), simplified("age")
    ('性别', '阴性', 'age')
    """
    return text if text.isascii() else text.translate(_SIMPLIFIED)


def in_both(words: Iterable[str]) -> tuple[str, ...]:
    """Return words, and after them the traditional forms of those that have one.

    >>> in_both(["no", "阴性"])
    ('no', '阴性', '陰性')
    """
    given = tuple(words)
    return (*given, *(full for word in given if (full := word.translate(_TRADITIONAL)) != word))


def pairs_in_both(pairs: Iterable[tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    """Return rows of words that belong together, and after them those that are written otherwise in traditional form.

    >>> pairs_in_both([("yes", "no"), ("有", "无")])
    (('yes', 'no'), ('有', '无'), ('有', '無'))
    """
    given = tuple(pairs)
    full = (tuple(word.translate(_TRADITIONAL) for word in row) for row in given)
    return (*given, *(row for row, own in zip(full, given, strict=True) if row != own))
