"""A picture drawn, scaled and saved in three formats with Pillow."""
from PIL import Image, ImageDraw, ImageFilter

picture = Image.new("RGB", (320, 200), "white")
draw = ImageDraw.Draw(picture)
for step in range(0, 200, 10):
    draw.ellipse((step, step // 2, step + 90, step // 2 + 70), outline=(step, 80, 255 - step))
picture = picture.filter(ImageFilter.GaussianBlur(2)).resize((160, 100), Image.Resampling.LANCZOS)
for name in ("picture.png", "picture.jpg", "picture.bmp"):
    picture.save(name)
    print(name, Image.open(name).size, Image.open(name).getpixel((80, 50)))
