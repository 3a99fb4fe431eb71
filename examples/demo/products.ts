import type { NewProduct, Variant } from '../../functions/catalog/contract.ts';

/** The demo chain's range: sixty products, prices in won with 10 % VAT inside. */

const VAT_PERCENT = 10;

interface Look {
  /** Suffix of the SKU, e.g. `BLK-M`. */
  suffix: string;
  options: Record<string, string>;
}

const COLOURS: Record<string, string> = {
  BLK: 'black',
  WHT: 'white',
  NVY: 'navy',
  BEI: 'beige',
  GRN: 'green',
};

const inColours = (...codes: string[]): Look[] =>
  codes.map((code) => ({ suffix: code, options: { colour: COLOURS[code]! } }));

const inSizes = (codes: string[], sizes: string[]): Look[] =>
  inColours(...codes).flatMap(({ suffix, options }) =>
    sizes.map((size) => ({ suffix: `${suffix}-${size}`, options: { ...options, size } })),
  );

const ONE: Look[] = [{ suffix: '', options: {} }];
const SML = ['S', 'M', 'L'];
const TOPS = inSizes(['BLK', 'WHT'], SML);
const OUTER = inSizes(['BLK', 'BEI'], ['M', 'L']);
const PANTS = inSizes(['NVY', 'BEI'], SML);
const SHOES = inSizes(['WHT'], ['240', '260', '280']);
const BAGS = inColours('BLK', 'GRN');

type Row = [code: string, ko: string, en: string, ja: string, priceWon: number, looks: Look[]];

const APPAREL: Row[] = [
  ['TEE', '베이직 티셔츠', 'Basic tee', 'ベーシックTシャツ', 19_900, TOPS],
  ['LONGTEE', '긴팔 티셔츠', 'Long-sleeve tee', '長袖Tシャツ', 25_900, TOPS],
  ['SHIRT', '옥스퍼드 셔츠', 'Oxford shirt', 'オックスフォードシャツ', 39_900, TOPS],
  ['LINEN', '린넨 셔츠', 'Linen shirt', 'リネンシャツ', 45_900, TOPS],
  ['KNIT', '메리노 니트', 'Merino knit', 'メリノニット', 59_900, TOPS],
  ['CARDI', '울 가디건', 'Wool cardigan', 'ウールカーディガン', 69_900, OUTER],
  ['HOOD', '후드 집업', 'Zip hoodie', 'ジップパーカー', 54_900, OUTER],
  ['PADDING', '경량 패딩', 'Light down jacket', 'ライトダウンジャケット', 89_900, OUTER],
  ['TRENCH', '트렌치 코트', 'Trench coat', 'トレンチコート', 159_000, OUTER],
  ['RAIN', '방수 재킷', 'Rain jacket', 'レインジャケット', 79_900, OUTER],
  ['JEANS', '스트레이트 진', 'Straight jeans', 'ストレートジーンズ', 49_900, PANTS],
  ['CHINO', '치노 팬츠', 'Chinos', 'チノパンツ', 42_900, PANTS],
  ['SLACKS', '울 슬랙스', 'Wool slacks', 'ウールスラックス', 64_900, PANTS],
  ['SKIRT', '플리츠 스커트', 'Pleated skirt', 'プリーツスカート', 47_900, PANTS],
  ['SHORTS', '코튼 반바지', 'Cotton shorts', 'コットンショーツ', 32_900, PANTS],
  ['SNEAKER', '캔버스 스니커즈', 'Canvas sneakers', 'キャンバススニーカー', 59_000, SHOES],
  ['RUNNER', '러닝화', 'Running shoes', 'ランニングシューズ', 99_000, SHOES],
  ['LOAFER', '가죽 로퍼', 'Leather loafers', 'レザーローファー', 119_000, SHOES],
];

const GOODS: Row[] = [
  ['TOTE', '캔버스 토트백', 'Canvas tote bag', 'キャンバストートバッグ', 29_900, BAGS],
  ['PACK', '데일리 백팩', 'Daily backpack', 'デイリーバックパック', 79_000, BAGS],
  ['WALLET', '가죽 지갑', 'Leather wallet', 'レザーウォレット', 49_000, inColours('BLK', 'BEI')],
  ['CAP', '코튼 볼캡', 'Cotton cap', 'コットンキャップ', 24_900, BAGS],
  ['BEANIE', '울 비니', 'Wool beanie', 'ウールビーニー', 22_900, BAGS],
  ['SCARF', '캐시미어 머플러', 'Cashmere scarf', 'カシミヤマフラー', 89_000, inColours('BLK', 'BEI')],
  ['SOCKS', '양말 3켤레', 'Socks, three pairs', 'ソックス3足組', 9_900, inColours('BLK', 'WHT')],
  ['UMBRELLA', '자동 우산', 'Automatic umbrella', '自動開閉傘', 27_900, BAGS],
  ['POSTER', '한정판 아트 포스터', 'Art poster, limited', '限定アートポスター', 35_000, ONE],
];

const HOME: Row[] = [
  ['MUG', '도자기 머그', 'Stoneware mug', '陶器マグ', 14_900, inColours('WHT', 'NVY')],
  ['PLATE', '도자기 접시', 'Stoneware plate', '陶器プレート', 17_900, inColours('WHT', 'NVY')],
  ['KETTLE', '전기 주전자', 'Electric kettle', '電気ケトル', 59_000, ONE],
  ['GRINDER', '커피 그라인더', 'Coffee grinder', 'コーヒーミル', 69_000, ONE],
  ['PAN', '무쇠 프라이팬', 'Cast-iron pan', '鉄フライパン', 54_000, ONE],
  ['KNIFE', '주방 칼', 'Kitchen knife', '包丁', 64_000, ONE],
  ['TOWEL', '면 수건', 'Cotton towel', 'コットンタオル', 12_900, inColours('WHT', 'BEI', 'NVY')],
  ['DUVET', '구스 이불', 'Goose duvet', 'グース布団', 189_000, ONE],
  ['PILLOW', '메모리폼 베개', 'Memory-foam pillow', '低反発枕', 39_000, ONE],
  ['CANDLE', '소이 캔들', 'Soy candle', 'ソイキャンドル', 24_000, ONE],
  ['LAMP', '데스크 램프', 'Desk lamp', 'デスクランプ', 74_000, inColours('BLK', 'WHT')],
  ['VASE', '유리 꽃병', 'Glass vase', 'ガラス花瓶', 28_000, ONE],
];

const BEAUTY: Row[] = [
  ['SERUM', '시카 세럼', 'Cica serum', 'シカ美容液', 28_000, ONE],
  ['CREAM', '수분 크림', 'Moisture cream', '保湿クリーム', 32_000, ONE],
  ['SUN', '선크림 SPF50+', 'Sunscreen SPF50+', '日焼け止めSPF50+', 19_000, ONE],
  ['MASK', '마스크팩 10매', 'Sheet masks, ten', 'シートマスク10枚', 15_000, ONE],
  ['SHAMPOO', '약산성 샴푸', 'Mild shampoo', '弱酸性シャンプー', 18_000, ONE],
  ['HANDCREAM', '핸드크림', 'Hand cream', 'ハンドクリーム', 9_000, ONE],
];

const PANTRY: Row[] = [
  ['COFFEE', '원두 200 g', 'Coffee beans 200 g', 'コーヒー豆 200 g', 16_000, ONE],
  ['TEA', '제주 녹차', 'Jeju green tea', '済州緑茶', 14_000, ONE],
  ['HONEY', '아카시아 꿀', 'Acacia honey', 'アカシア蜂蜜', 21_000, ONE],
  ['GIM', '구운 김', 'Roasted seaweed', '焼きのり', 8_900, ONE],
  ['RICE', '햅쌀 4 kg', 'New-crop rice 4 kg', '新米 4 kg', 23_000, ONE],
  ['SESAME', '참기름', 'Sesame oil', 'ごま油', 12_500, ONE],
];

const CHILLED: Row[] = [
  ['MILK', '유기농 우유 900 ml', 'Organic milk 900 ml', 'オーガニック牛乳 900 ml', 4_900, ONE],
  ['YOGURT', '그릭 요거트', 'Greek yogurt', 'ギリシャヨーグルト', 6_500, ONE],
  ['EGGS', '동물복지 달걀 10구', 'Free-range eggs, ten', '平飼い卵 10個', 6_900, ONE],
  ['TOFU', '국산콩 두부', 'Korean soybean tofu', '国産大豆豆腐', 3_900, ONE],
  ['KIMCHI', '포기김치 1 kg', 'Kimchi 1 kg', '白菜キムチ 1 kg', 15_900, ONE],
  ['SALMON', '생연어 300 g', 'Fresh salmon 300 g', '生サーモン 300 g', 17_900, ONE],
  ['HANWOO', '한우 등심 300 g', 'Hanwoo sirloin 300 g', '韓牛サーロイン 300 g', 39_900, ONE],
  ['BERRIES', '설향 딸기 500 g', 'Strawberries 500 g', 'いちご 500 g', 12_900, ONE],
  ['SALAD', '샐러드 채소', 'Salad leaves', 'サラダ野菜', 4_500, ONE],
];

const variantOf =
  (code: string, priceWon: number) =>
  ({ suffix, options }: Look): Variant => ({
    sku: suffix === '' ? code : `${code}-${suffix}`,
    ...(Object.keys(options).length === 0 ? {} : { options }),
    price: { amountMinor: priceWon, currency: 'KRW' },
    taxRatePercent: VAT_PERCENT,
  });

const range = (category: string, storage: 'AMBIENT' | 'COLD', rows: readonly Row[]): NewProduct[] =>
  rows.map(([code, ko, en, ja, priceWon, looks]) => ({
    productId: `prd-${code.toLowerCase()}`,
    name: { ko, en, ja },
    category,
    storage,
    variants: looks.map(variantOf(code, priceWon)),
  }));

export const PRODUCTS: readonly NewProduct[] = [
  ...range('apparel', 'AMBIENT', APPAREL),
  ...range('goods', 'AMBIENT', GOODS),
  ...range('home', 'AMBIENT', HOME),
  ...range('beauty', 'AMBIENT', BEAUTY),
  ...range('food/pantry', 'AMBIENT', PANTRY),
  ...range('food/chilled', 'COLD', CHILLED),
];
